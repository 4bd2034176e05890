// Makes the world's figures from a routing table: correct answers and mean costs by category.
//
//   aggregate_figures TABLE csv      prints examples/world_figures.csv
//   aggregate_figures TABLE header   prints the rows of world/world_figures.hpp
//
// A prompt belongs to its `category`; categories stand by falling number of prompts, those of equal number by name;
// models stand in the order of the table. An answer is correct when its loss is 0, and a mean cost is printed in
// millionths of a dollar with two decimals. Graded and missing outcomes are refused: a count could not show them.
// The published figures come from MMLU-Pro's per-question results (sources in world/world_figures.hpp).

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <uniroute/data/read_routing_table.hpp>
#include <vector>

namespace {

namespace ur = uniroute;

struct category_figures {
  std::string name;
  std::vector<std::size_t> prompts;  // rows of the table
};

std::vector<category_figures> categories_of(const ur::routing_table& table) {
  if (table.categories().empty()) throw std::invalid_argument("aggregate_figures: the table has no categories");
  std::map<std::string, std::vector<std::size_t>> by_name;
  for (std::size_t i = 0; i < table.size(); ++i) by_name[table.categories()[i]].push_back(i);
  std::vector<category_figures> out;
  for (const auto& [name, prompts] : by_name) out.push_back({name, prompts});
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.prompts.size() > b.prompts.size(); });
  return out;
}

std::string correct(const ur::routing_table& table, const category_figures& category, std::size_t model) {
  std::size_t count = 0;
  for (const std::size_t i : category.prompts) {
    const double loss = table.losses()(i, model);
    if (loss != 0 && loss != 1) throw std::domain_error("aggregate_figures: an outcome is graded or missing");
    count += loss == 0 ? 1u : 0u;
  }
  return std::to_string(count);
}

std::string microdollars(const ur::routing_table& table, const category_figures& category, std::size_t model) {
  double sum = 0;
  for (const std::size_t i : category.prompts) sum += table.costs()(i, model);
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.2f", 1e6 * sum / static_cast<double>(category.prompts.size()));
  return digits;
}

struct {
  const char* title;
  std::string (*of)(const ur::routing_table&, const category_figures&, std::size_t);
} const figures[] = {{"correct", correct}, {"microdollars", microdollars}};

template <class Figure>
std::string joined(const std::vector<category_figures>& categories, const char* separator, Figure figure) {
  std::string out;
  for (const auto& category : categories) out += (out.empty() ? "" : separator) + figure(category);
  return out;
}

void print_csv(const ur::routing_table& table, const std::vector<category_figures>& categories) {
  using ur::detail::csv_text;
  const auto name = [](const category_figures& c) { return csv_text(c.name); };
  const auto size = [](const category_figures& c) { return std::to_string(c.prompts.size()); };
  std::printf("figure,model,%s\n", joined(categories, ",", name).c_str());
  std::printf("prompts,,%s\n", joined(categories, ",", size).c_str());
  for (const auto& figure : figures) {
    for (std::size_t h = 0; h < table.model_count(); ++h) {
      const auto cell = [&](const category_figures& c) { return figure.of(table, c, h); };
      std::printf("%s,%s,%s\n", figure.title, csv_text(table.models()[h].name).c_str(),
                  joined(categories, ",", cell).c_str());
    }
  }
}

void print_header(const ur::routing_table& table, const std::vector<category_figures>& categories) {
  std::printf("inline constexpr std::array<world_category, %zu> world_categories{{", categories.size());
  // Aligned as clang-format aligns it.
  const auto entry = [](const category_figures& c) {
    return "{\"" + c.name + "\", " + std::to_string(c.prompts.size()) + "}";
  };
  std::printf("%s}};\n\n", joined(categories, (",\n" + std::string(66, ' ')).c_str(), entry).c_str());
  std::printf("inline constexpr std::array<world_model, %zu> world_models{{\n", table.model_count());
  for (std::size_t h = 0; h < table.model_count(); ++h) {
    const auto right = [&](const category_figures& c) { return correct(table, c, h); };
    const auto cost = [&](const category_figures& c) { return microdollars(table, c, h); };
    std::printf("    {\"%s\",\n     {%s},\n     {%s}},\n", table.models()[h].name.c_str(),
                joined(categories, ", ", right).c_str(), joined(categories, ", ", cost).c_str());
  }
  std::printf("}};\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 3 ? argv[2] : "";
  if (what != "csv" && what != "header") {
    std::fputs("usage: aggregate_figures TABLE csv|header\n", stderr);
    return 2;
  }
  try {
    const auto table = ur::read_routing_table(argv[1]);
    const auto categories = categories_of(table);
    what == "csv" ? print_csv(table, categories) : print_header(table, categories);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
