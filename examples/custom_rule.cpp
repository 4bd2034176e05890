// A rule of your own: the cheapest LLM whose predicted loss is within a tolerance of the least.
// ctest: --trials 2 --validation 100 --out out

#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

class tolerant_rule {
 public:
  explicit tolerant_rule(double tolerance = 0) : tolerance_(tolerance) {}

  std::size_t choose(const ur::candidates<>& c) const {
    const double worst = *std::min_element(c.losses.begin(), c.losses.end()) + tolerance_;
    std::size_t best = c.losses.size();
    for (std::size_t h = 0; h < c.losses.size(); ++h) {
      if (c.losses[h] <= worst && (best == c.losses.size() || c.costs[h] < c.costs[best])) best = h;
    }
    return best;
  }
  /// What an experiment sweeps: tolerances from 0 to 1.
  std::vector<std::pair<double, tolerant_rule>> along(const ur::loss_matrix&, const ur::cost_matrix&) const {
    std::vector<std::pair<double, tolerant_rule>> out;
    for (int i = 0; i <= 100; ++i) out.emplace_back(i / 100., tolerant_rule(i / 100.));
    return out;
  }
  ur::state save() const {
    ur::state out;
    out.set("tolerance", tolerance_);
    return out;
  }
  void load(const ur::state& s) { tolerance_ = s.get<double>("tolerance"); }

 private:
  double tolerance_;
};
static_assert(ur::routing_rule<tolerant_rule> && ur::swept_rule<tolerant_rule>);

int main(int argc, char** argv) {
  const auto with_rule = [](std::string name, auto rule) {
    return ur::router_method(std::move(name), [rule](const ur::trial_data& t) {
      return ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 25, .seed = t.seed}}, ur::proximity_map{},
                        ur::shrunken_mean{}, rule};
    });
  };
  return ur::run_comparison(argc, argv,
                            {.title = "Tolerances beside prices",
                             .methods = {ur::zero_router(), with_rule("lagrangian", ur::lagrangian_rule{}),
                                         with_rule("tolerant", tolerant_rule{})},
                             .focus = "tolerant",
                             .job = "custom_rule"});
}
