// expect: lower_confidence: Base must model counting_estimator
#include <uniroute/estimate/lower_confidence.hpp>

struct mean_only {
  void fit(std::span<const uniroute::cell_statistics>) {}
#ifdef UNIROUTE_EXPECT_OK
  uniroute::profile estimate(const uniroute::cell_statistics& s) const { return {s.sum, s.weight}; }
#else
  struct losses_only {
    std::vector<double> losses;
  };
  losses_only estimate(const uniroute::cell_statistics& s) const { return {s.sum}; }
#endif
  uniroute::state save() const { return {}; }
  void load(const uniroute::state&) {}
};

uniroute::lower_confidence<mean_only> pessimist() { return uniroute::lower_confidence<mean_only>{}; }
