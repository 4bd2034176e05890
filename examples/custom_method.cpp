// A method of your own beside all standard ones: any function from what a router may know to predicted losses and
// costs. ctest: --trials 2 --validation 150 --out out

#include <uniroute/experiment/command_line.hpp>

namespace ur = uniroute;

/// Each LLM's validation outcomes, regressed on the first entry of the embedding alone.
ur::prediction first_entry(const ur::trial_data& t) {
  ur::prediction out{ur::make_matrix<double>(ur::rows(t.test_x), t.unseen.size()),
                     ur::column_means(t.validation_costs)};
  for (std::size_t h = 0; h < t.unseen.size(); ++h) {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (std::size_t i = 0; i < ur::rows(t.validation_x); ++i) {
      const double loss = t.validation_losses(i, h), at = static_cast<double>(t.validation_x(i, 0));
      if (ur::is_missing(loss)) continue;
      n += 1, x += at, y += loss, xx += at * at, xy += at * loss;
    }
    const double spread = xx - x * x / n, slope = spread > 0 ? (xy - x * y / n) / spread : 0;
    for (std::size_t i = 0; i < ur::rows(t.test_x); ++i)
      out.losses(i, h) = y / n + slope * (static_cast<double>(t.test_x(i, 0)) - x / n);
  }
  return out;
}

int main(int argc, char** argv) {
  auto methods = ur::standard_methods();  // also one by one: ur::methods::tuned_knn() …
  methods.push_back(
      {.name = "first_entry", .predict = first_entry, .about = "regression on one entry of the embedding"});
  return ur::run_comparison(
      argc, argv,
      {.title = "Mine beside the others", .methods = methods, .focus = "first_entry", .job = "custom_method"});
}
