// Ladders on known outcomes: by hand, exact curves against running every setting, and what is refused.

#include <catch2/catch.hpp>
#include <uniroute/evaluate/trace_ladder.hpp>
#include <uniroute/random.hpp>

namespace ur = uniroute;

namespace {

struct sample {
  ur::loss_matrix losses;
  ur::matrix<double> scores;
  ur::cost_matrix costs;
};

sample draw(std::uint64_t seed, std::size_t n, std::size_t m, bool gaps) {
  ur::random_engine draws(seed);
  sample out{ur::make_matrix<double>(n, m), ur::make_matrix<double>(n, m), ur::make_matrix<double>(n, m)};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      out.losses(i, h) = draws.uniform() < .5 ? 1 : 0;
      out.scores(i, h) = static_cast<double>(draws.below(7)) - 3;  // ties, and below zero
      out.costs(i, h) = static_cast<double>(h * h) + static_cast<double>(draws.below(3));
      if (gaps && draws.uniform() < .15) out.losses(i, h) = out.scores(i, h) = ur::missing;
    }
  }
  return out;
}

/// A ladder by hand: what it asks in order, what it keeps.
struct scripted {
  std::vector<std::uint32_t> asks;
  std::uint32_t keeps = 0;
  std::optional<std::uint32_t> next(const ur::ladder_view& v) const {
    if (v.asked.size() == asks.size()) return std::nullopt;
    return asks[v.asked.size()];
  }
  std::uint32_t keep(const ur::ladder_view&) const { return keeps; }
};

}  // namespace

TEST_CASE("a cascade by hand: costs add up, the last answer stands, the cap counts the next cost") {
  // Three LLMs; the second is accepted on the first prompt, none on the second, the first on the third.
  const ur::loss_matrix losses{{1, 0, 0}, {1, 1, 0}, {0, 0, 1}};
  const ur::matrix<double> scores{{0, 1, 1}, {0, 0, 1}, {1, 0, 0}};
  const ur::cost_matrix costs{{1, 2, 4}, {1, 3, 5}, {1, 2, 4}};
  const ur::loss_matrix none = ur::make_matrix<double>(0, 0);
  const ur::ladder_sample s{scores, costs, costs, none};
  const auto all = ur::run_ladder(ur::threshold_cascade({.order = {0, 1, 2}}), s, 9);
  CHECK(all.kept.choices == std::vector<std::uint32_t>{1, 2, 0});
  CHECK(all.kept.costs == std::vector<double>{3, 9, 1});
  CHECK(all.asked == std::vector<std::uint32_t>{2, 3, 1});
  CHECK(all.kept.setting == 9);
  const auto capped = ur::run_ladder(ur::threshold_cascade({.order = {0, 1, 2}, .cap = 4}), s);
  CHECK(capped.kept.choices == std::vector<std::uint32_t>{1, 1, 0});
  CHECK(capped.kept.costs == std::vector<double>{3, 4, 1});
  // Below the first cost the first LLM runs all the same.
  CHECK(ur::run_ladder(ur::threshold_cascade({.order = {2, 0}, .cap = 0}), s).kept.costs ==
        std::vector<double>{4, 5, 4});
  // Total costs are what a curve counts.
  const auto curve = ur::trace_decisions(std::vector<ur::decisions>{all.kept}, losses, costs);
  CHECK(curve.points[0].cost == Approx(13.0 / 3));
  CHECK(curve.points[0].quality == Approx(1));
  // The best-scored answer; ties to the later; a missing score is never the best.
  const ur::matrix<double> graded{{.5, .2, .5}, {.3, ur::missing, .1}, {.1, .2, ur::missing}};
  const auto best =
      ur::run_ladder(ur::threshold_cascade({.order = {0, 1, 2}, .threshold = 2, .keeps = ur::kept_answer::best_scored}),
                     ur::ladder_sample{graded, costs, costs, none});
  CHECK(best.kept.choices == std::vector<std::uint32_t>{2, 0, 1});
}

TEST_CASE("exact curves along caps and thresholds are those of every setting run by itself") {
  const ur::loss_matrix none = ur::make_matrix<double>(0, 0);
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto of = draw(seed, 23, 2 + seed % 4, seed % 3 == 0);
    const std::size_t m = ur::columns(of.losses);
    ur::threshold_cascade_options options;
    for (std::size_t h = 0; h < m; ++h) options.order.push_back(static_cast<std::uint32_t>((h + seed) % m));
    options.threshold = 1;
    const ur::ladder_sample s{of.scores, of.costs, of.costs, none};
    const auto caps = ur::trace_caps(ur::threshold_cascade(options), of.scores, of.losses, of.costs, {.shares = true});
    for (std::size_t p = 0; p < caps.points.size(); ++p) {
      auto at = options;
      at.cap = caps.points[p].lambda;
      const auto run = ur::run_ladder(ur::threshold_cascade(at), s);
      const auto point = ur::trace_decisions(std::vector<ur::decisions>{run.kept}, of.losses, of.costs).points[0];
      // The last point is the first LLM alone, whatever the first step's cap.
      if (p + 1 == caps.points.size()) continue;
      CHECK(caps.points[p].cost == Approx(point.cost));
      CHECK(caps.points[p].quality == Approx(point.quality));
      CHECK(caps.points[p].coverage == Approx(point.coverage));
      double share = 0;
      for (const std::uint32_t h : run.kept.choices) share += h == options.order[0] ? 1.0 / 23 : 0;
      CHECK(static_cast<double>(caps.shares(p, options.order[0])) == Approx(share).margin(1e-6));
    }
    // From the dearest to the first LLM alone.
    double first = 0;
    for (std::size_t i = 0; i < 23; ++i) first += of.costs(i, options.order[0]) / 23;
    CHECK(caps.points.back().cost == Approx(first));
    for (std::size_t p = 1; p < caps.points.size(); ++p) CHECK(caps.points[p].cost <= caps.points[p - 1].cost);

    options.cap = static_cast<double>(m * m);
    const auto thresholds = ur::trace_thresholds(ur::threshold_cascade(options), of.scores, of.losses, of.costs);
    for (std::size_t p = 0; p + 1 < thresholds.points.size(); ++p) {
      auto at = options;
      at.threshold = thresholds.points[p].lambda + .5;  // just above: scores are whole numbers
      const auto run = ur::run_ladder(ur::threshold_cascade(at), s);
      const auto point = ur::trace_decisions(std::vector<ur::decisions>{run.kept}, of.losses, of.costs).points[0];
      CHECK(thresholds.points[p].cost == Approx(point.cost));
      CHECK(thresholds.points[p].quality == Approx(point.quality));
    }
  }
}

TEST_CASE("ladders that are none are refused") {
  const auto of = draw(1, 4, 3, false);
  const ur::loss_matrix none = ur::make_matrix<double>(0, 0);
  const ur::ladder_sample s{of.scores, of.costs, of.costs, none};
  CHECK_THROWS_WITH(ur::run_ladder(scripted{{}, 0}, s), Catch::Contains("asks no LLM"));
  CHECK_THROWS_WITH(ur::run_ladder(scripted{{0, 1, 0}, 0}, s), Catch::Contains("asks LLM 0 twice"));
  CHECK_THROWS_WITH(ur::run_ladder(scripted{{3}, 0}, s), Catch::Contains("asks LLM 3"));
  CHECK_THROWS_WITH(ur::run_ladder(scripted{{0, 1}, 2}, s), Catch::Contains("keeps the answer of LLM 2"));
  CHECK_THROWS_WITH(ur::run_ladder(scripted{{0}, 0}, ur::ladder_sample{none, of.costs, of.costs, none}),
                    Catch::Contains("scores is 0 x 0"));
  CHECK_THROWS_WITH(ur::run_ladder(scripted{{0}, 0}, ur::ladder_sample{of.scores, of.costs, none, none}),
                    Catch::Contains("estimates is 0 x 0"));
  CHECK_THROWS_WITH(ur::threshold_cascade({.order = {}}), Catch::Contains("order has 0 LLMs"));
  CHECK_THROWS_WITH(ur::threshold_cascade({.order = {1, 2, 1}}), Catch::Contains("order has LLM 1 twice"));
  CHECK_THROWS_WITH(ur::threshold_cascade({.order = {0}, .threshold = ur::missing}),
                    Catch::Contains("threshold is nan"));
  CHECK_THROWS_WITH(ur::threshold_cascade({.order = {0}, .cap = -1}), Catch::Contains("cap is -1"));
  CHECK_THROWS_WITH(ur::trace_caps(ur::threshold_cascade({.order = {0, 5}}), of.scores, of.losses, of.costs),
                    Catch::Contains("order has LLM 5"));
  CHECK_THROWS_WITH(ur::trace_caps(ur::threshold_cascade({.order = {0}, .keeps = ur::kept_answer::best_scored}),
                                   of.scores, of.losses, of.costs),
                    Catch::Contains("keeps the best answer"));
  ur::decisions bad{0, {0, 0, 0, 0}, {1, 2}};
  CHECK_THROWS_WITH(ur::trace_decisions(std::vector<ur::decisions>{bad}, of.losses, of.costs),
                    Catch::Contains("costs of a setting has 2"));
  const std::vector<double> means{3, 1, 1, 2};
  CHECK(ur::cheapest_first(means) == std::vector<std::uint32_t>{1, 2, 3, 0});
}
