// What certificates, guards and plans refuse, each by its own sentence, at the border of what they take.

#include <catch2/catch.hpp>
#include <limits>
#include <support/small_tables.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using Catch::Contains;
using uniroute_tests::small_table;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
const double nan_value = std::nan("");
const std::vector<double> no_deltas{0, 1, -.1, 1.1};
const std::vector<double> no_prices{-1e-9, infinite};

auto table(const std::string& prefix, std::size_t n = 12) {
  return small_table(prefix, n, 3, [](std::size_t i, std::size_t h) { return static_cast<double>((i + h) % 2); });
}

template <class Map>
auto made(Map map, bool enrolled = true, bool declared = true) {
  ur::router out{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 2}}, std::move(map), ur::cell_mean{},
                 ur::lagrangian_rule{{.lambda = .1}}};
  out.fit(table("fit "));
  if (enrolled) {
    out.enroll(table("validation "), {"a", "b"});
    if (declared) {
      out.reprice("a", 1);
      out.reprice("b", 2);
    }
  }
  return out;
}

}  // namespace

TEST_CASE("certificates of counts refuse shapes, levels, shares and prices that make no sense") {
  ur::cell_sample s;
  s.prompts = {3, 4};
  s.counts = ur::make_matrix<double>(2, 2, 3.0);
  s.sums = ur::make_matrix<double>(2, 2, 1.0);
  const std::vector<std::uint32_t> choices{0, 1};
  const std::vector<double> costs{1, 2};
  const auto certify = [&](double delta, double part = .1) {
    return ur::certify_counts<ur::hoeffding>(s, choices, costs, .1, delta, {}, part);
  };
  CHECK_NOTHROW(certify(.1));
  for (const double bad : no_deltas) CHECK_THROWS_WITH(certify(bad), Contains("certify_counts"));
  for (const double bad : {0.0, 1.0, nan_value})
    CHECK_THROWS_WITH(certify(.1, bad), Contains("certify_counts: share_part"));
  const auto box = ur::bonferroni<ur::hoeffding>{}.make(s, .1);
  const auto shares = ur::known_shares(std::vector<double>{.25, .75});
  const auto of = [&](std::vector<std::uint32_t> r, std::vector<double> c, double lambda, ur::interval_box b,
                      std::vector<ur::interval> p) {
    return ur::certify_cells(r, c, lambda, std::move(b), std::move(p));
  };
  const auto c = of({0, 1}, {1, 2}, .1, box, shares);
  REQUIRE(c.cell_shares.size() == 2);
  CHECK(c.cell_shares[1].lower == .75);
  CHECK(c.lambda == .1);
  CHECK_THROWS_WITH(of({0}, {1, 2}, .1, box, shares), Contains("choices has 1 entries"));
  CHECK_THROWS_WITH(of({0, 1}, {1}, .1, box, shares), Contains("costs has 1 entries"));
  CHECK_THROWS_WITH(of({0, 2}, {1, 2}, .1, box, shares), Contains("choices[1] is 2, but must be below 2"));
  for (const double bad : no_prices) CHECK_THROWS_WITH(of({0, 1}, {1, 2}, bad, box, shares), Contains("lambda"));
  for (const double bad : {-.1, infinite, nan_value})
    CHECK_THROWS_WITH(of({0, 1}, {1, bad}, .1, box, shares), Contains("a cost"));
  CHECK_THROWS_WITH(of({0, 1}, {1, 2}, .1, box, {{.25, .75}}), Contains("shares has 1 entries"));
  for (const ur::interval bad : {ur::interval{-.1, .75}, {.5, .4}, {.5, 1.1}})
    CHECK_THROWS_WITH(of({0, 1}, {1, 2}, .1, box, {bad, {.25, .75}}), Contains("a share is"));
  CHECK_THROWS_WITH(of({0, 1}, {1, 2}, .1, box, {{.6, .7}, {.6, .7}}), Contains("must be able to sum to 1"));
  CHECK_THROWS_WITH(of({0, 1}, {1, 2}, .1, box, {{.1, .4}, {.1, .4}}), Contains("must be able to sum to 1"));
  auto crossed = box;
  crossed.lower(1, 0) = .9;
  crossed.upper(1, 0) = .8;
  CHECK_THROWS_WITH(of({0, 1}, {1, 2}, .1, crossed, shares), Contains("the interval of cell 1 and LLM 0"));
  auto narrow = box;
  narrow.upper = ur::make_matrix<double>(2, 1, 1.0);
  CHECK_THROWS_WITH(of({0, 1}, {1, 2}, .1, narrow, shares), Contains("the lower ends are"));
  CHECK_THROWS_WITH(ur::known_shares(std::vector<double>{.25, .7500001}), Contains("sum to"));
  CHECK_THROWS_WITH(ur::known_shares(std::vector<double>{-.25, 1.25}), Contains("shares[0]"));
  for (const double bad : no_deltas)
    CHECK_THROWS_WITH(ur::estimated_shares(s.prompts, bad), Contains("estimated_shares"));
  CHECK_THROWS_WITH(ur::estimated_shares(std::vector<double>{0, 0}, .1), Contains("the sample has 0 prompts"));
  const auto one = ur::estimated_shares(std::vector<double>{5}, .1);
  REQUIRE(one.size() == 1);
  CHECK(one[0].lower == 1);
  CHECK(one[0].upper == 1);
  // Intervals for any count look at the shares as often as at the means: δ is shared over all counts up to n.
  const auto any = ur::certify_counts<ur::any_time<ur::hoeffding>>(s, choices, costs, .1, .2);
  const auto once = ur::estimated_shares(s.prompts, .2 * .1 / (7 * 8));
  CHECK(any.cell_shares[0].lower == once[0].lower);
  CHECK(any.cell_shares[1].upper == once[1].upper);
}

TEST_CASE("samples of cells refuse labels and shapes that do not fit") {
  const ur::label_vector labels{0, 1, 1};
  const auto losses = ur::make_matrix<double>(3, 2, .5);
  for (const auto& bad : std::vector<ur::label_vector>{{0, 1}, {}, {0, 1, 2}}) {
    const auto few = bad.empty() ? ur::make_matrix<double>(0, 2) : losses;
    CHECK_THROWS_AS(ur::summarise(ur::cell_outcomes{bad, few, 2}), std::invalid_argument);
    CHECK_THROWS_AS(ur::bonferroni<ur::betting>{}.make(ur::cell_outcomes{bad, few, 2}, .1), std::invalid_argument);
  }
  CHECK_THROWS_AS(ur::summarise(ur::cell_outcomes{labels, ur::make_matrix<double>(3, 0), 2}), std::invalid_argument);
  const std::vector<std::size_t> beyond{2};
  CHECK_THROWS_AS(ur::summarise(ur::cell_outcomes{labels, losses, 2, beyond}), std::invalid_argument);
  for (const double bad : no_deltas) {
    CHECK_THROWS_AS(ur::bonferroni<ur::betting>{}.make(ur::cell_outcomes{labels, losses, 2}, bad),
                    std::invalid_argument);
    CHECK_THROWS_AS(ur::bonferroni<ur::hoeffding>{}.make(ur::summarise(ur::cell_outcomes{labels, losses, 2}), bad),
                    std::invalid_argument);
  }
}

TEST_CASE("certificates of routers refuse samples, options and costs that promise nothing") {
  const auto sample = table("sample ");
  const ur::confidence_level level{.9};
  const auto router = made(ur::nearest_map{});
  const auto certify = [&](const auto& r, const auto& t, ur::certify_options o = {}) {
    return ur::certify<ur::betting>(r, t, level, o);
  };
  CHECK_NOTHROW(certify(router, sample));
  CHECK_THROWS_WITH(certify(made(ur::nearest_map{}, false), sample), Contains("certify: the pool is empty"));
  CHECK_THROWS_WITH(certify(router, table("fit ")), Contains("was seen by fit"));
  const auto nothing = table("none ", 0);
  CHECK_THROWS_WITH(certify(router, nothing), Contains("certify: the table has 0 prompts"));
  CHECK_THROWS_WITH(ur::certify_held_out(router, ur::held_out{nothing}, level),
                    Contains("certify_held_out: the table has 0 prompts"));
  CHECK_THROWS_WITH(ur::guard_quality(router, ur::held_out{nothing}, {.safe_model = "a"}, level),
                    Contains("guard_quality: the table has 0 prompts"));
  for (const double bad : {0.0, 1.0, nan_value})
    CHECK_THROWS_WITH(certify(router, sample, {.share_part = bad}), Contains("certify: share_part"));
  CHECK_THROWS_WITH(certify(made(ur::nearest_map{}, true, false), sample),
                    Contains("must be known where lambda is above 0"));
  CHECK_THROWS_WITH(certify(router, sample, {.largest_cost = 1.5}), Contains("must be at most the declared largest"));
  CHECK_NOTHROW(certify(router, sample, {.largest_cost = 2.0}));
  for (const double bad : {-.1, infinite, nan_value})
    CHECK_THROWS_WITH(certify(router, sample, {.largest_cost = bad}), Contains("largest_cost"));
  CHECK_THROWS_WITH(ur::certify<ur::exact_binomial>(router, ur::as_binary(sample), level, {.largest_cost = 2.0}),
                    Contains("graded ones"));
  const auto priced = certify(router, sample, {.largest_cost = 3.0});
  CHECK(priced.lambda == .1);
  CHECK(priced.costs == std::vector<double>{1, 2});
  CHECK(priced.largest_objective == Approx(1.3));
  for (const double bad : {.49, 1.0}) CHECK_THROWS_AS(ur::confidence_level(bad), std::invalid_argument);
  CHECK_NOTHROW(ur::confidence_level(.5));
  // Held out.
  const auto held = [&](const auto& r, const auto& t, ur::held_out_options o = {}) {
    return ur::certify_held_out(r, ur::held_out{t}, level, o);
  };
  CHECK_THROWS_WITH(held(made(ur::nearest_map{}, false), sample), Contains("certify_held_out: the pool is empty"));
  CHECK_THROWS_WITH(held(router, table("validation ")), Contains("was seen by enroll"));
  CHECK_THROWS_WITH(held(router, sample, {.lambda = -1}), Contains("lambda"));
  CHECK_THROWS_WITH(held(router, sample, {.lambda = 1, .largest_cost = 1.0}),
                    Contains("must be at most the declared largest"));
  CHECK_NOTHROW(held(router,
                     small_table(
                         "free ", 8, 3, [](auto, auto) { return .5; }, [](auto, auto) { return 0.0; }),
                     {.lambda = 1, .largest_cost = 0.0}));
  // Of single LLMs that tie in loss the cheaper is the best.
  const auto tied = held(router, small_table(
                                     "tied ", 8, 3, [](auto, auto) { return .5; },
                                     [](std::size_t, std::size_t h) { return h == 0 ? 1.5 : 1.0; }));
  CHECK(tied.best_single == 1);
}

TEST_CASE("soft certificates refuse what hides outcomes, and prompts that were seen") {
  const ur::confidence_level level{.9};
  const auto router = made(ur::proximity_map{{.relative_bandwidth = 5}});
  const auto sample = table("sample "), fresh = table("fresh ");
  const auto certify = [&](const auto& r, const auto& a, const auto& b, ur::certify_soft_options o = {}) {
    return ur::certify_soft(r, a, b, level, o);
  };
  CHECK_NOTHROW(certify(router, sample, fresh));
  CHECK_THROWS_WITH(certify(made(ur::proximity_map{}, false), sample, fresh),
                    Contains("certify_soft: the pool is empty"));
  CHECK_THROWS_WITH(certify(router, table("fit "), fresh), Contains("was seen by fit"));
  CHECK_THROWS_WITH(certify(router, sample, table("fit ")), Contains("was seen by fit"));
  CHECK_THROWS_WITH(certify(router, sample, table("validation ")), Contains("was seen by enroll"));
  CHECK_THROWS_WITH(certify(router, sample, sample), Contains("was seen by the labelled sample"));
  for (const double bad : {0.0, 1.0})
    CHECK_THROWS_WITH(certify(router, sample, fresh, {.share_part = bad}), Contains("certify_soft: share_part"));
  CHECK_THROWS_WITH(certify(made(ur::proximity_map{}, true, false), sample, fresh),
                    Contains("must be known where lambda is above 0"));
  CHECK_THROWS_WITH(certify(router, sample, fresh,
                            {.missing_ones = {.probabilities = ur::make_matrix<double>(12, 2, 1.0), .least = 1}}),
                    Contains("but must be 12 x 3"));
  const auto gone =
      small_table("gone ", 12, 3, [](std::size_t i, std::size_t h) { return i == 3 && h == 1 ? ur::missing : .5; });
  CHECK_THROWS_WITH(certify(router, gone, fresh), Contains("must be known why"));
  CHECK_NOTHROW(certify(router, gone, fresh, {.missing_ones = {.independent = true}}));
  CHECK_NOTHROW(certify(router, gone, fresh,
                        {.missing_ones = {.probabilities = ur::make_matrix<double>(12, 3, .5), .least = .5}}));

  const auto phi = ur::make_matrix<double>(4, 2, .5);
  const auto losses = ur::make_matrix<double>(4, 2, .5);
  for (const double bad : no_deltas)
    CHECK_THROWS_WITH(ur::soft_intervals(phi, losses, bad), Contains("soft_intervals"));
  CHECK_THROWS_WITH(ur::soft_intervals(ur::make_matrix<double>(3, 2, .5), losses, .1),
                    Contains("memberships has 3 rows"));
  CHECK_THROWS_AS(ur::soft_intervals(ur::make_matrix<double>(0, 2), ur::make_matrix<double>(0, 2), .1),
                  std::invalid_argument);
  for (const double bad : {0.0, 1.1})
    CHECK_THROWS_WITH(
        ur::soft_intervals(phi, losses, .1, {.probabilities = ur::make_matrix<double>(4, 2, 1.0), .least = bad}),
        Contains("least is"));
  for (const double bad : {.4, 1.1})
    CHECK_THROWS_AS(
        ur::soft_intervals(phi, losses, .1, {.probabilities = ur::make_matrix<double>(4, 2, bad), .least = .5}),
        std::domain_error);
  const auto box = ur::soft_intervals(phi, losses, .1);
  const std::vector<std::uint32_t> choices{0, 1, 0, 1};
  const std::vector<double> costs{1, 2};
  const auto of = [&](std::vector<std::uint32_t> r, std::vector<double> c, double lambda, double delta) {
    return ur::certify_memberships(phi, r, c, lambda, box, delta);
  };
  CHECK_NOTHROW(of(choices, costs, .1, .1));
  for (const double bad : no_deltas) CHECK_THROWS_WITH(of(choices, costs, .1, bad), Contains("certify_memberships"));
  for (const double bad : no_prices)
    CHECK_THROWS_WITH(of(choices, costs, bad, .1), Contains("certify_memberships: lambda"));
  CHECK_THROWS_WITH(of({0, 1, 0}, costs, .1, .1), Contains("choices has 3"));
  CHECK_THROWS_WITH(of(choices, {1}, .1, .1), Contains("costs 1 entries"));
  CHECK_THROWS_WITH(of({0, 1, 2, 0}, costs, .1, .1), Contains("choices[2] is 2"));
  CHECK_THROWS_WITH(of(choices, {1, -1}, .1, .1), Contains("a cost"));
  // Where all intervals and costs are one, nothing is in doubt.
  const ur::interval_box sure{ur::make_matrix<double>(2, 2, .5), ur::make_matrix<double>(2, 2, .5)};
  const auto certain = ur::certify_memberships(phi, choices, std::vector<double>{1, 1}, .1, sure, .1);
  CHECK(certain.gap_adaptive == 0);
  CHECK(certain.estimation == 0);
  // Who is blamed in a cell is the rival of the largest part.
  auto doubt = sure;
  doubt.lower(0, 1) = .1;
  doubt.lower(1, 1) = .4;
  const auto blamed =
      ur::certify_memberships(phi, std::vector<std::uint32_t>{0, 0, 0, 0}, std::vector<double>{1, 1}, .1, doubt, .1);
  CHECK(blamed.parts[0].model == 1);
  CHECK(blamed.parts[0].amount == Approx(.5 * .4));
}

TEST_CASE("guards refuse what is no test, and samples that were seen") {
  const auto p = ur::make_matrix<double>(3, 2, .5);
  const std::vector<double> lambdas{0, 1};
  const auto quality = [&](const ur::loss_matrix& predicted, std::size_t safe, double epsilon,
                           std::vector<double> prices, double delta) {
    return ur::guard_quality_counts(predicted, p, p, safe, true, epsilon, prices, delta);
  };
  CHECK_NOTHROW(quality(p, 1, 0, lambdas, .1));
  for (const double bad : no_deltas) CHECK_THROWS_WITH(quality(p, 0, .1, lambdas, bad), Contains("guard_quality"));
  CHECK_THROWS_WITH(quality(ur::make_matrix<double>(2, 2, .5), 0, .1, lambdas, .1), Contains("must have one shape"));
  CHECK_THROWS_WITH(ur::guard_quality_counts(p, ur::make_matrix<double>(3, 1, .5), p, 0, true, .1, lambdas, .1),
                    Contains("must have one shape"));
  CHECK_THROWS_WITH(ur::guard_quality_counts(p, p, ur::make_matrix<double>(3, 3, .5), 0, true, .1, lambdas, .1),
                    Contains("must have one shape"));
  const auto none = ur::make_matrix<double>(0, 2);
  CHECK_THROWS_WITH(ur::guard_quality_counts(none, none, none, 0, true, .1, lambdas, .1), Contains("at least 1 x 1"));
  for (const double bad : {-.1, 1.0}) CHECK_THROWS_WITH(quality(p, 0, bad, lambdas, .1), Contains("epsilon"));
  CHECK_THROWS_WITH(quality(p, 2, .1, lambdas, .1), Contains("safe is 2"));
  CHECK_THROWS_WITH(quality(p, 0, .1, {}, .1), Contains("lambdas has 0 entries"));
  for (const double bad : no_prices) CHECK_THROWS_WITH(quality(p, 0, .1, {bad}, .1), Contains("a lambda is"));
  const auto cost = [&](std::size_t cheapest, double budget, double largest, std::vector<double> prices, double delta,
                        std::optional<double> known = {}) {
    return ur::guard_cost_counts(p, p, p, cheapest, budget, largest, prices, delta, known);
  };
  CHECK_NOTHROW(cost(1, .5, 1, lambdas, .1));
  CHECK_NOTHROW(cost(1, .5, 1, lambdas, .1, .5));
  for (const double bad : no_deltas) CHECK_THROWS_WITH(cost(0, .5, 1, lambdas, bad), Contains("guard_cost"));
  CHECK_THROWS_WITH(cost(2, .5, 1, lambdas, .1), Contains("cheapest is 2"));
  CHECK_THROWS_WITH(cost(0, .5, 1, {}, .1), Contains("lambdas has 0 entries"));
  for (const double bad : {0.0, infinite}) CHECK_THROWS_WITH(cost(0, .5, bad, lambdas, .1), Contains("largest_cost"));
  CHECK_THROWS_WITH(cost(0, .5, 1, lambdas, .1, .6), Contains("but must be the declared 0.6"));
  CHECK_THROWS_WITH(ur::price_grid(std::vector<double>{}), Contains("costs has 0 entries"));
  CHECK_THROWS_WITH(ur::price_grid(std::vector<double>{1}, 1), Contains("steps is 1"));

  const auto router = made(ur::nearest_map{});
  const ur::confidence_level level{.9};
  const ur::quality_promise promise{.safe_model = "a"};
  const auto guard = [&](const auto& r, const auto& t) {
    return ur::guard_quality(r, ur::held_out{t}, promise, level);
  };
  CHECK_NOTHROW(guard(router, table("sample ")));
  CHECK_THROWS_WITH(guard(made(ur::nearest_map{}, false), table("sample ")),
                    Contains("guard_quality: the pool is empty"));
  CHECK_THROWS_WITH(guard(router, table("fit ")), Contains("was seen by fit"));
  CHECK_THROWS_WITH(guard(router, table("validation ")), Contains("was seen by enroll"));
  CHECK_THROWS_WITH(ur::guard_quality(router, ur::held_out{table("sample ")}, {.safe_model = "c"}, level),
                    Contains("'c' is unknown"));
  // A share of a sample's δ is the guard's δ: what passes at .4 may not at a tenth of it.
  std::size_t fewer = 0;
  for (std::size_t n = 4; n < 60; n += 4) {
    const auto sample = small_table("sample ", n, 3, [](std::size_t i, std::size_t h) {
      return h == 0 && i % 8 == 0 ? 1.0 : h == 1 && i % 4 == 0 ? 1.0 : 0.0;
    });
    const ur::held_out whole{sample};
    auto parts = ur::held_out{sample}.shares(10);
    const auto all =
        ur::guard_quality(router, whole.reused(), {.epsilon = .3, .safe_model = "a"}, ur::confidence_level{.6});
    const auto tenth =
        ur::guard_quality(router, std::move(parts[0]), {.epsilon = .3, .safe_model = "a"}, ur::confidence_level{.6});
    fewer +=
        all.report.steps.size() != tenth.report.steps.size() || all.report.abstains != tenth.report.abstains ? 1u : 0u;
  }
  CHECK(fewer > 0);
}

TEST_CASE("plans refuse what cannot be planned") {
  const ur::confidence_level level{.9};
  const auto plan = [&](double width, std::size_t k, std::size_t m, ur::planning_options o = {}) {
    return ur::labels_for_width<ur::hoeffding>(width, k, m, level, o);
  };
  CHECK_NOTHROW(plan(.5, 1, 1));
  CHECK_THROWS_WITH(plan(.5, 0, 2), Contains("there are 0 cells and 2 LLMs"));
  CHECK_THROWS_WITH(plan(.5, 2, 0), Contains("there are 2 cells and 0 LLMs"));
  for (const double bad : {0.0, -1.0, nan_value}) CHECK_THROWS_WITH(plan(bad, 2, 2), Contains("width is"));
  for (const double bad : {-.1, 1.1}) CHECK_THROWS_WITH(plan(.5, 2, 2, {.mean = bad}), Contains("mean is"));
  CHECK_THROWS_WITH(plan(.5, 2, 2, {.cell_shares = {1}}), Contains("cell_shares has 1 entries"));
  CHECK_THROWS_AS(plan(.5, 2, 2, {.cell_shares = {.5, .6}}), std::invalid_argument);
  ur::certificate c;
  c.lower = ur::make_matrix<double>(2, 2, 0.0);
  c.upper = ur::make_matrix<double>(2, 2, 1.0);
  c.choices = {0, 0};
  c.costs = {1, 1};
  c.level = .9;
  CHECK_THROWS_WITH(ur::more_labels<ur::hoeffding>(c, .1), Contains("has no counts"));
  c.counts = ur::make_matrix<double>(1, 2, 5.0);
  CHECK_THROWS_WITH(ur::more_labels<ur::hoeffding>(c, .1), Contains("has no counts"));
  c.counts = ur::make_matrix<double>(2, 1, 5.0);
  CHECK_THROWS_WITH(ur::more_labels<ur::hoeffding>(c, .1), Contains("has no counts"));
  c.counts = ur::make_matrix<double>(2, 2, 5.0);
  c.means = ur::make_matrix<double>(2, 2, .5);
  for (const double bad : {0.0, -1.0}) CHECK_THROWS_WITH(ur::more_labels<ur::hoeffding>(c, bad), Contains("width is"));
  CHECK((ur::more_labels<ur::hoeffding>(c, .1) == ur::more_labels<ur::hoeffding>(c, .1, .1)));
  CHECK(ur::more_labels<ur::hoeffding>(c, .1)(0, 0) > 0);
  // The choice's mean is worse by more than the width: no number of labels will do.
  c.means(0, 0) = .9;
  CHECK(ur::more_labels<ur::hoeffding>(c, .1)(0, 0) == ur::unreachable);
}
