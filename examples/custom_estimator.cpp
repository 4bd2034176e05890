// An estimator of your own, of the outcomes themselves: the median of means, which a few wild outcomes cannot move.
// ctest: --trials 2 --validation 100 --out out

#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

/// The median of the means of five groups of a cell's outcomes (Nemirovsky and Yudin 1983); the LLM's mean where a cell
/// has fewer than five.
struct median_of_means {
  static constexpr bool asks_for_outcomes = true;
  static constexpr std::size_t groups = 5;

  void fit(std::span<const ur::cell_statistics>) {}
  ur::profile estimate(const ur::cell_statistics& s) const {
    ur::profile out{std::vector<double>(s.size(), s.total / static_cast<double>(s.observed)), s.weight};
    for (std::size_t k = 0; k < s.size(); ++k) {
      if (s.outcomes[k].size() < groups) continue;
      std::array<double, groups> sum{}, weight{}, mean{};
      for (std::size_t i = 0; i < s.outcomes[k].size(); ++i) {
        sum[i % groups] += s.outcomes[k][i].weight * s.outcomes[k][i].loss;
        weight[i % groups] += s.outcomes[k][i].weight;
      }
      for (std::size_t g = 0; g < groups; ++g) mean[g] = sum[g] / weight[g];
      std::nth_element(mean.begin(), mean.begin() + groups / 2, mean.end());
      out.losses[k] = mean[groups / 2];
    }
    return out;
  }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
static_assert(ur::outcome_estimator<median_of_means>);

int main(int argc, char** argv) {
  const auto mine = ur::predictor_method("median_of_means", [](const ur::trial_data& t) {
    return ur::cell_predictor{ur::methods::cells(t, 10), ur::nearest_map{}, median_of_means{}};
  });
  return ur::run_comparison(argc, argv,
                            {.title = "Medians of means beside means",
                             .methods = {ur::zero_router(), ur::methods::kmeans_hard(10), mine},
                             .focus = "median_of_means",
                             .job = "custom_estimator"});
}
