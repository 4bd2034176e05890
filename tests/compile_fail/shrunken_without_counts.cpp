// expect: shrunken: Base must model counting_estimator: estimate\(cell_statistics\) must return a profile
#include <uniroute/estimate/shrunken.hpp>

// The mean loss of an LLM in every cell.
struct overall_mean {
#ifdef UNIROUTE_EXPECT_OK
  using result = uniroute::profile;
#else
  struct result {
    std::vector<double> losses;
  };
#endif
  void fit(std::span<const uniroute::cell_statistics>) {}
  result estimate(const uniroute::cell_statistics& s) const {
    result out;
    out.losses.assign(s.size(), s.total / static_cast<double>(s.observed));
    return out;
  }
  uniroute::state save() const { return {}; }
  void load(const uniroute::state&) {}
};

uniroute::shrunken<overall_mean> estimator;
