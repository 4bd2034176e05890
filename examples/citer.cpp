// CITER (2502.01976): tokens routed one by one between a small and a large LLM, in a world whose law is known (no
// token-level outcomes are public): accuracy against the share of tokens that the large LLM writes, exactly; CITER's
// labels with and without the long term, after one round and two, beside dynamic programming.
// ctest: --answers 300 --out out

#include <cstdio>
#include <string>
#include <uniroute/data/staged_directory.hpp>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/report/report.hpp>
#include <uniroute/world/sequential_world.hpp>
#include <vector>

namespace ur = uniroute;
using nlohmann::ordered_json;

namespace {

struct settings {
  std::string out = "out/citer";
  std::size_t answers = 4000, steps = 12;
  std::uint64_t seed = 1;
};

using curve = std::vector<ur::sequential_value>;

/// The area between a curve and the line from the small LLM alone to the large one alone.
double gain(const curve& of) {
  double area = 0;
  for (std::size_t i = 1; i < of.size(); ++i)
    area += (of[i].share_of_large - of[i - 1].share_of_large) * (of[i].accuracy + of[i - 1].accuracy) / 2;
  return area - (of.front().accuracy + of.back().accuracy) / 2;
}

curve learned(const ur::sequential_world& world, const ur::citer_options& options) {
  curve out;
  for (const auto& [threshold, value] : ur::trace_token_scores(world, ur::learn_citer(world, options)))
    out.push_back(value);
  return out;
}

/// What any router could do that sees type, track and step: from no large token to all of them.
curve best(const ur::sequential_world& world) {
  curve out;
  for (double price = 8; price > 1e-3; price *= 0.8) out.push_back(world.oracle(price));
  out.push_back(world.oracle(0));
  out.push_back(world.evaluate(std::vector<double>(world.observations(), 1.0)));
  return out;
}

int run(const settings& s) {
  const auto world = ur::citer_world(s.steps);
  const std::vector<std::pair<std::string, curve>> all{
      {"CITER, two rounds", learned(world, {.answers = s.answers, .seed = s.seed})},
      {"CITER, one round", learned(world, {.answers = s.answers, .rounds = 1, .seed = s.seed})},
      {"without the long term",
       learned(world, {.answers = s.answers, .labels = ur::token_labels::next_token, .seed = s.seed})},
      {"dynamic programming", best(world)}};
  ordered_json json;
  json["settings"] = {{"answers", s.answers}, {"steps", s.steps}, {"seed", s.seed}};
  std::vector<std::vector<std::string>> rows{{"router", "gain of area", "accuracy at half of the tokens"}};
  std::vector<ur::chart_line> lines;
  for (const auto& [name, of] : all) {
    ordered_json points = ordered_json::array();
    ur::chart_line line{name, {}, name == "dynamic programming", lines.size(), {}};
    double at_half = 0;
    for (std::size_t i = 0; i < of.size(); ++i) {
      points.push_back({{"share_of_large", of[i].share_of_large}, {"accuracy", of[i].accuracy}});
      line.points.emplace_back(of[i].share_of_large, of[i].accuracy);
      if (i == 0 || of[i].share_of_large < 0.5 || of[i - 1].share_of_large >= 0.5) continue;
      const double t = (0.5 - of[i - 1].share_of_large) / (of[i].share_of_large - of[i - 1].share_of_large);
      at_half = of[i - 1].accuracy + t * (of[i].accuracy - of[i - 1].accuracy);
    }
    json["routers"].push_back({{"name", name}, {"gain", gain(of)}, {"share_of_large", points}});
    rows.push_back({name, ur::detail::fixed(gain(of), 4), ur::detail::fixed(at_half, 3)});
    lines.push_back(std::move(line));
  }
  lines.push_back({"tokens at random", {lines[0].points.front(), lines[0].points.back()}, true, 7, {}});
  ur::html_page page("Token by token: CITER in a world that is known");
  page.paragraph(
      ur::detail::text("Six types of tokens, seen through noise; a wrong token may lead the rest of the answer off the "
                       "track. On two types "
                       "no LLM writes the reference's token, and on one of them only the small LLM's does harm: that "
                       "shows in how the answer "
                       "ends and nowhere else. Labels from ",
                       s.answers, " reference answers a round, seed ", s.seed,
                       "; values are exact. Simulated: no token-level outcomes are public."));
  page.figure(ur::line_chart(lines, {"Accuracy against the large LLM's tokens",
                                     "share of tokens that the large LLM writes", "accuracy of answers"}),
              "What each router's threshold buys. Without the long term the harmful tokens go to the small LLM.");
  page.table(rows);
  page.paragraph("gain of area: between the curve and tokens given to the large LLM at random.");
  ur::staged_directory staged("citer", s.out, ur::marker_of(s.out));
  staged.write("results.json", json.dump(1) + "\n");
  staged.write("index.html", std::move(page).finish());
  staged.commit();
  ur::print_table(rows);
  std::printf("\nLook at %s/index.html\n", s.out.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app{"CITER's token routing in a world that is known"};
  app.add_option("--answers", s.answers, "reference answers of a round")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--steps", s.steps, "tokens of an answer")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", s.seed, "same seed, same numbers")->capture_default_str();
  app.add_option("--out", s.out, "directory to write")->capture_default_str();
  ur::parse_options(app, argc, argv);
  return ur::run_job("citer", [&] { return run(s); });
}
