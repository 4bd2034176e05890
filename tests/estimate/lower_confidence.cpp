#include <catch2/catch.hpp>
#include <uniroute/estimate/estimate.hpp>
#include <uniroute/stats/wilson.hpp>

namespace ur = uniroute;

TEST_CASE("lower confidence is the upper end of Wilson's interval on each cell's outcomes") {
  const std::vector<std::uint32_t> labels{0, 0, 0, 0, 1};
  const std::vector<double> losses{1, 0, 0, 0, 0};
  const auto s = ur::summarise_cells(labels, losses, 3);
  const double z = ur::normal_upper_quantile(.05);
  const auto p = ur::lower_confidence<>{{.deviations = z}}.estimate(s);
  CHECK(p.losses[0] == Approx(ur::wilson::make(1, 4, .1).upper));
  CHECK(p.losses[1] == Approx(ur::wilson::make(0, 1, .1).upper));
  CHECK(p.losses[2] == 1);  // nobody tried
  CHECK(p.counts == std::vector<double>{4, 1, 0});
  // One lucky prompt does not make an LLM better than four prompts with one failure make it.
  CHECK(p.losses[1] > p.losses[0]);
  CHECK(ur::lower_confidence<>{{.deviations = 0}}.estimate(s).losses == ur::cell_mean{}.estimate(s).losses);
  CHECK_THROWS_AS(ur::lower_confidence<>({.deviations = -1}), std::invalid_argument);
}

TEST_CASE("lower confidence saves and loads with its base") {
  const auto s = ur::summarise_cells(std::vector<std::uint32_t>{0, 0, 1}, std::vector<double>{1, 0, 0}, 2);
  const std::vector<ur::cell_statistics> seen{s, s};
  ur::lower_confidence<ur::shrunken_mean> a{{.deviations = 2}};
  a.fit(seen);
  ur::lower_confidence<ur::shrunken_mean> b;
  b.load(a.save());
  CHECK(b.estimate(s).losses == a.estimate(s).losses);
  CHECK_THROWS_AS(b.load(ur::state{}), ur::format_error);
}
