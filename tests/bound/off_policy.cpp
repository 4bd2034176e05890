// A router judged from another's log: by hand, in a world whose truth is known, and what is refused.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// A log of four prompts and two LLMs.
ur::routing_log small_log() {
  return {{"a", "b"}, {0, 1, 0, 1}, {.5, .25, .5, .25}, {1, 0, 0, 1}, ur::make_matrix<double>(0, 0)};
}

const ur::confidence_level level{.9};

}  // namespace

TEST_CASE("three estimates of four prompts, by hand") {
  const auto log = small_log();
  const std::vector<std::uint32_t> choices{0, 1, 1, 1};  // agrees on prompts 0, 1 and 3: weights 2, 4, 0, 4
  auto predicted = ur::make_matrix<double>(1, 2, .5);
  predicted(0, 0) = .25;
  const auto out = ur::evaluate_from_log(choices, log, predicted, level, {.largest_weight = 4});
  CHECK(out.agreed == 3);
  CHECK(out.effective == Approx(100. / 36));
  CHECK(out.ips.value == Approx((2 * 1 + 4 * 0 + 4 * 1) / 4.));
  CHECK(out.self_normalised.value == Approx(6. / 10));
  CHECK(out.doubly_robust.value == Approx((.25 + 2 * .75 + .5 - 4 * .5 + .5 + .5 + 4 * .5) / 4));
  for (const auto& e : {out.ips, out.self_normalised, out.doubly_robust}) {
    CHECK(e.range.lower >= 0);
    CHECK(e.range.upper <= 1);
  }
  // Paired: prompts with the same choice add nothing.
  const std::vector<std::uint32_t> other{0, 1, 0, 1};
  const auto paired = ur::compare_from_log(choices, other, log, predicted, level, {.largest_weight = 4});
  CHECK(paired.value == Approx((.5 - (.25 + 2 * (0 - .25))) / 4));
  CHECK(ur::compare_from_log(choices, choices, log, predicted, level, {.largest_weight = 4}).value == 0);
  // Without predictions the doubly robust estimate is IPS.
  const auto plain = ur::evaluate_from_log(choices, log, ur::make_matrix<double>(0, 0), level, {.largest_weight = 4});
  CHECK(plain.doubly_robust.value == Approx(plain.ips.value));
}

TEST_CASE("estimates from a log hold in a world, and a good predictor narrows them") {
  const ur::simulated_world world{{.dimension = 8}};
  const std::size_t m = 4, runs = 150;
  const std::vector<std::size_t> models{1, 8, 20, 27};
  std::size_t ips = 0, normalised = 0, robust = 0, paired = 0;
  double error_ips = 0, error_robust = 0, wide_ips = 0, wide_robust = 0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const auto s = world.sample(400, seed);
    ur::random_engine draws(seed + 7);
    ur::routing_log log;
    log.probabilities = ur::make_matrix<double>(400, m);
    std::vector<std::uint32_t> choices, other;
    auto predicted = ur::make_matrix<double>(400, m);
    double truth = 0, of_other = 0;
    for (std::size_t h = 0; h < m; ++h) log.models.push_back(s.table.models()[models[h]].name);
    for (std::size_t i = 0; i < 400; ++i) {
      // The log's router prefers the LLM that is better by the prompt's cell; ours asks by another rule.
      const std::size_t liked = s.cells[i] % m;
      double u = draws.uniform();
      std::size_t ran = 0;
      for (std::size_t h = 0; h < m; ++h) {
        log.probabilities(i, h) = h == liked ? .55 : .15;
        predicted(i, h) = s.expected_losses(i, models[h]);
      }
      while (ran + 1 < m && (u -= log.probabilities(i, ran)) >= 0) ++ran;
      log.ran.push_back(static_cast<std::uint32_t>(ran));
      log.propensities.push_back(log.probabilities(i, ran));
      log.losses.push_back(s.table.losses()(i, models[ran]));
      choices.push_back(static_cast<std::uint32_t>((s.cells[i] / 2) % m));
      other.push_back(static_cast<std::uint32_t>(i % 3 == 0 ? 0 : choices.back()));
    }
    // The truth is the world's: a large sample's expected losses.
    const auto fresh = world.sample(3000, seed + 5000);
    for (std::size_t i = 0; i < 3000; ++i) {
      const std::size_t c = (fresh.cells[i] / 2) % m;
      truth += fresh.expected_losses(i, models[c]) / 3000;
      of_other += fresh.expected_losses(i, models[i % 3 == 0 ? 0 : c]) / 3000;
    }
    const ur::off_policy_options options{.largest_weight = 1 / .15};
    const auto out = ur::evaluate_from_log(choices, log, predicted, ur::confidence_level{.8}, options);
    const auto inside = [](const ur::interval& i, double value) {
      return i.lower - .004 <= value && value <= i.upper + .004;
    };
    ips += inside(out.ips.range, truth) ? 1u : 0u;
    normalised += inside(out.self_normalised.range, truth) ? 1u : 0u;
    robust += inside(out.doubly_robust.range, truth) ? 1u : 0u;
    const auto d = ur::compare_from_log(choices, other, log, predicted, ur::confidence_level{.8}, options);
    paired += inside(d.range, truth - of_other) ? 1u : 0u;
    error_ips += std::pow(out.ips.value - truth, 2) / runs;
    error_robust += std::pow(out.doubly_robust.value - truth, 2) / runs;
    wide_ips += (out.ips.range.upper - out.ips.range.lower) / runs;
    wide_robust += (out.doubly_robust.range.upper - out.doubly_robust.range.lower) / runs;
  }
  // .8 is promised; three standard errors of 150 runs are .1. An interval of half the width would hold in some .5.
  for (const std::size_t held : {ips, normalised, robust, paired}) CHECK(static_cast<double>(held) / runs >= .7);
  CHECK(error_robust < error_ips);
  CHECK(wide_robust < 1.2 * wide_ips);
  CHECK(std::sqrt(error_ips) < .1);
}

TEST_CASE("a router is judged by its own choices and predictions, by the names of the log") {
  const auto table = ur::simulated_world{{.dimension = 8}}.sample(500, 3).table;
  const auto split = ur::split(table, {.seed = 2});
  ur::router router{ur::precomputed_embeddings{}, ur::knn{{.neighbours = 20}}, ur::lagrangian_rule{}};
  router.fit(split.train);
  std::vector<std::string> pool{split.unseen[0], split.unseen[1]};
  router.enroll(split.validation, pool);
  const auto& x = split.test.embeddings();
  ur::routing_log log;
  log.models = {pool[1], "another", pool[0]};  // in another order
  const auto choices = router.route(x);
  for (std::size_t i = 0; i < ur::rows(x); ++i) {
    log.ran.push_back(i % 2 == 0 ? 0 : 2);
    log.propensities.push_back(.5);
    log.losses.push_back(split.test.losses()(i, split.test.model_index(log.models[log.ran.back()])));
  }
  const auto out = ur::evaluate_from_log(router, x, log, level, {.largest_weight = 2});
  double ips = 0;
  std::size_t agreed = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (pool[choices[i]] != log.models[log.ran[i]]) continue;
    ips += 2 * log.losses[i] / static_cast<double>(choices.size());
    ++agreed;
  }
  CHECK(out.ips.value == Approx(ips));
  CHECK(out.agreed == agreed);
  log.models[0] = "gone";
  CHECK_THROWS_WITH(ur::evaluate_from_log(router, x, log, level, {.largest_weight = 2}),
                    Catch::Contains("is not in the log"));
}

TEST_CASE("logs that say nothing are refused, with what they lack") {
  const std::vector<std::uint32_t> choices{0, 1, 0, 1};
  const auto none = ur::make_matrix<double>(0, 0);
  const auto with = [&](auto change, double largest = 4) {
    auto log = small_log();
    change(log);
    return ur::evaluate_from_log(choices, log, none, level, {.largest_weight = largest});
  };
  using Catch::Contains;
  CHECK_NOTHROW(with([](auto&) {}));
  CHECK_THROWS_WITH(with([](auto& l) { l.propensities.clear(); }), Contains("propensities has 0"));
  CHECK_THROWS_WITH(with([](auto& l) { l.propensities[2] = 0; }), Contains("propensity of prompt 2 is 0"));
  CHECK_THROWS_WITH(with([](auto& l) { l.propensities[1] = 1.5; }), Contains("propensity of prompt 1"));
  CHECK_THROWS_WITH(with([](auto& l) { l.losses[3] = 2; }), Contains("loss of prompt 3 is 2"));
  CHECK_THROWS_WITH(with([](auto& l) { l.losses[3] = ur::missing; }), Contains("loss of prompt 3"));
  CHECK_THROWS_WITH(with([](auto& l) { l.ran[0] = 2; }), Contains("must be below the number of models"));
  CHECK_THROWS_WITH(with([](auto&) {}, 0), Contains("largest_weight is 0"));
  CHECK_THROWS_WITH(with([](auto&) {}, 3), Contains("weight of prompt 1 is 4"));
  CHECK_THROWS_WITH(with([](auto& l) {
                      l.probabilities = ur::make_matrix<double>(4, 2, .5);
                      l.probabilities(2, 0) = 0;
                    }),
                    Contains("on 25% of prompts"));
  CHECK_THROWS_WITH(
      ur::evaluate_from_log(choices, small_log(), ur::make_matrix<double>(4, 3), level, {.largest_weight = 4}),
      Contains("predicted is 4 x 3"));
  // Without probabilities: the log's router asks "a" alone, ours wants "b" on most prompts.
  ur::routing_log one;
  one.models = {"a", "b"};
  std::vector<std::uint32_t> wants;
  for (std::size_t i = 0; i < 400; ++i) {
    one.ran.push_back(0);
    one.propensities.push_back(1);
    one.losses.push_back(static_cast<double>(i % 2));
    wants.push_back(i % 5 == 0 ? 0 : 1);
  }
  CHECK_THROWS_WITH(ur::evaluate_from_log(wants, one, none, level, {.largest_weight = 1}),
                    Contains("the mean weight is at most") && Contains("never asks"));
}
