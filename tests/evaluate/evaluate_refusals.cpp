// Predictor quality, the truth of cells and traced regret in plain loops, and what evaluation refuses, by name.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <support/reference/bounds.hpp>
#include <support/small_tables.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

ur::population drawn(std::uint64_t seed, std::size_t n = 7, std::size_t m = 3) {
  ur::random_engine engine(seed);
  ur::population p;
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += p.weights.emplace_back(.1 + engine.uniform());
  for (double& w : p.weights) w /= sum;
  p.expected_losses = ur::make_matrix<double>(n, m);
  p.costs = ur::make_matrix<double>(1, m);
  for (double& v : p.expected_losses) v = engine.uniform();
  for (double& v : p.costs) v = engine.uniform();
  p.embeddings = ur::make_matrix<float>(n, 1, 0.0F);
  for (std::size_t h = 0; h < m; ++h) p.models.push_back("llm " + std::to_string(h));
  p.enumerated = true;
  return p;
}

ur::membership_matrix memberships(std::uint64_t seed, std::size_t n, std::size_t k, bool hard) {
  ur::random_engine engine(seed + 77);
  auto out = ur::make_matrix<double>(n, k, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    if (hard) {
      out(i, i < k ? i : engine.below(k)) = 1;
      continue;
    }
    double sum = 0;
    for (std::size_t c = 0; c < k; ++c) sum += out(i, c) = c == 0 && i % 3 == 0 ? 0 : engine.uniform();
    for (std::size_t c = 0; c < k; ++c) out(i, c) /= sum;
  }
  return out;
}

}  // namespace

TEST_CASE("predictor quality: squares, logarithms, pairs in the wrong order, and ten bins") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ur::random_engine engine(seed);
    const std::size_t n = 15, m = 3;
    const bool one_row = seed % 3 == 0;
    auto predicted = ur::make_matrix<double>(one_row ? 1 : n, m), losses = ur::make_matrix<double>(n, m);
    for (double& v : predicted) v = static_cast<double>(engine.below(13)) / 10 - .1;  // ties, and beyond [0, 1]
    for (double& v : losses) v = engine.below(5) == 0 ? ur::missing : static_cast<double>(engine.below(5)) / 4;
    if (seed % 4 == 0) {
      for (std::size_t i = 0; i < n; ++i) losses(i, 2) = .25;  // all solved: this LLM has no AUC
    }
    double brier = 0, log_loss = 0, count = 0, auc = 0, with_auc = 0;
    std::vector<double> bins(10, 0.0);
    for (std::size_t h = 0; h < m; ++h) {
      double wins = 0, pairs = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const double loss = losses(i, h);
        if (ur::is_missing(loss)) continue;
        const double p = std::min(1.0, std::max(0.0, predicted(one_row ? 0 : i, h))),
                     q = std::min(1 - 1e-6, std::max(1e-6, p));
        brier += (p - loss) * (p - loss);
        log_loss -= loss * std::log(q) + (1 - loss) * std::log(1 - q);
        bins[std::min<std::size_t>(9, static_cast<std::size_t>(p * 10))] += p - loss;
        count += 1;
        for (std::size_t j = 0; j < n; ++j) {
          const double other = losses(j, h);
          if (ur::is_missing(other) || !(loss > .5) || other > .5) continue;
          const double r = std::min(1.0, std::max(0.0, predicted(one_row ? 0 : j, h)));
          pairs += 1;
          wins += p > r ? 1 : p == r ? .5 : 0;
        }
      }
      if (pairs == 0) continue;
      auc += wins / pairs;
      with_auc += 1;
    }
    double calibration = 0;
    for (const double b : bins) calibration += std::fabs(b) / count;
    const auto q = ur::measure_predictor(predicted, losses);
    CHECK(q.brier == Approx(brier / count));
    CHECK(q.log_loss == Approx(log_loss / count));
    CHECK(q.calibration_error == Approx(calibration).margin(1e-12));
    REQUIRE(q.auc.has_value() == (with_auc > 0));
    if (q.auc) CHECK(*q.auc == Approx(auc / with_auc));
  }
  const auto losses = ur::make_matrix<double>(3, 2, .5);
  CHECK_THROWS_WITH(ur::measure_predictor(ur::make_matrix<double>(2, 2, .5), losses), Contains("predicted is 2 x 2"));
  CHECK_THROWS_WITH(ur::measure_predictor(ur::make_matrix<double>(3, 1, .5), losses), Contains("predicted is 3 x 1"));
  CHECK_THROWS_WITH(ur::measure_predictor(losses, ur::make_matrix<double>(3, 2, ur::missing)),
                    Contains("no outcome is observed"));
}

TEST_CASE("the truth of cells, its terms and the parts of regret are their formulas") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto p = drawn(seed);
    const std::size_t n = p.size(), m = p.model_count(), cells = 2 + seed % 2;
    const bool hard = seed % 2 == 0;
    const auto phi = memberships(seed, n, cells, hard), other = memberships(seed + 500, n, cells, !hard);
    const double lambda = .3;
    const auto profiles_of = [&](const ur::membership_matrix& map) {
      reference::table psi(cells, reference::column(m, 0.0));
      reference::column share(cells, 0.0);
      for (std::size_t k = 0; k < cells; ++k) {
        for (std::size_t i = 0; i < n; ++i) share[k] += p.weights[i] * map(i, k);
        for (std::size_t h = 0; h < m; ++h) {
          for (std::size_t i = 0; i < n; ++i)
            psi[k][h] += p.weights[i] * map(i, k) * p.expected_losses(i, h) / share[k];
        }
      }
      return std::pair{psi, share};
    };
    const auto own_cells = profiles_of(phi);
    const auto& psi = own_cells.first;
    const auto& share = own_cells.second;
    const auto truth = ur::truth_of(p, phi);
    double range = 0, absolute = 0, one_sided = 0, signed_term = 0;
    for (std::size_t k = 0; k < cells; ++k) {
      CHECK(truth.shares[k] == Approx(share[k]));
      for (std::size_t h = 0; h < m; ++h) CHECK(truth.profiles(k, h) == Approx(psi[k][h]));
    }
    for (std::size_t i = 0; i < n; ++i) {
      double high = -9, low = 9, most = -9, least = 9;
      for (std::size_t h = 0; h < m; ++h) {
        double e = p.expected_losses(i, h);
        for (std::size_t k = 0; k < cells; ++k) {
          e -= phi(i, k) * psi[k][h];
          if (phi(i, k) == 0) continue;
          most = std::max(most, p.expected_losses(i, h) - psi[k][h]);
          least = std::min(least, p.expected_losses(i, h) - psi[k][h]);
        }
        high = std::max(high, e);
        low = std::min(low, e);
      }
      range += p.weights[i] * (high - low);
      absolute += p.weights[i] * std::max(most, -least);
      one_sided += p.weights[i] * -least;
      signed_term += p.weights[i] * most;
    }
    const auto terms = ur::approximation_of(p, phi);
    CHECK(terms.range == Approx(range));
    CHECK(terms.absolute == Approx(2 * absolute));
    CHECK(terms.published_absolute == Approx(absolute));
    CHECK(terms.published_signed == Approx(signed_term));
    if (hard) {
      CHECK(terms.one_sided == Approx(one_sided));
    } else {
      CHECK(terms.one_sided == infinite);
    }
    // Any profiles; J of a rule less J of the best.
    ur::random_engine engine(seed);
    auto given = ur::make_matrix<double>(cells, m);
    for (double& v : given) v = engine.uniform();
    const auto regret = [&](const ur::membership_matrix& map, const auto& profiles) {
      double out = 0;
      for (std::size_t i = 0; i < n; ++i) {
        reference::table predicted{reference::column(m, 0.0)}, costs{reference::column(m)};
        double least = 9;
        for (std::size_t h = 0; h < m; ++h) {
          for (std::size_t k = 0; k < cells; ++k) predicted[0][h] += map(i, k) * profiles(k, h);
          costs[0][h] = p.costs(0, h);
          least = std::min(least, p.expected_losses(i, h) + lambda * p.costs(0, h));
        }
        const std::size_t r = reference::choices_at(predicted, costs, lambda)[0];
        out += p.weights[i] * (p.expected_losses(i, r) + lambda * p.costs(0, r) - least);
      }
      return out;
    };
    const auto exact = [&](std::size_t k, std::size_t h) { return psi[k][h]; };
    const auto other_psi = profiles_of(other).first;
    const auto of_other = [&](std::size_t k, std::size_t h) { return other_psi[k][h]; };
    double bound = 0;
    for (std::size_t k = 0; k < cells; ++k) {
      double largest = 0;
      for (std::size_t h = 0; h < m; ++h) largest = std::max(largest, std::fabs(given(k, h) - psi[k][h]));
      bound += 2 * share[k] * largest;
    }
    const auto own = ur::take_apart(p, phi, given, lambda), apart = ur::take_apart(p, phi, given, lambda, &other);
    CHECK(own.regret == Approx(regret(phi, given)).margin(1e-12));
    CHECK(own.approximation == Approx(regret(phi, exact)).margin(1e-12));
    CHECK(own.optimisation == 0);
    CHECK(own.estimation == Approx(regret(phi, given) - regret(phi, exact)).margin(1e-12));
    CHECK(own.estimation_bound == Approx(bound));
    CHECK(apart.approximation == Approx(regret(other, of_other)).margin(1e-12));
    CHECK(apart.optimisation == Approx(regret(phi, exact) - regret(other, of_other)).margin(1e-12));
    if (hard) {
      std::vector<std::uint32_t> choices;
      double to_cells = 0;
      for (std::size_t k = 0; k < cells; ++k) {
        choices.push_back(static_cast<std::uint32_t>(engine.below(m)));
        double least = 9;
        for (std::size_t h = 0; h < m; ++h) least = std::min(least, psi[k][h] + lambda * p.costs(0, h));
        to_cells += share[k] * (psi[k][choices[k]] + lambda * p.costs(0, choices[k]) - least);
      }
      CHECK(ur::regret_to_cells(truth, ur::row(p.costs, 0), choices, lambda) == Approx(to_cells).margin(1e-12));
      choices[0] = static_cast<std::uint32_t>(m);
      CHECK_THROWS_WITH(ur::regret_to_cells(truth, ur::row(p.costs, 0), choices, lambda),
                        Contains("choices[0] is 3, but must be below 3"));
      choices.pop_back();
      CHECK_THROWS_WITH(ur::regret_to_cells(truth, ur::row(p.costs, 0), choices, lambda),
                        Contains("regret_to_cells: choices has"));
      CHECK_THROWS_WITH(ur::regret_to_cells(truth, std::vector<double>{1}, choices, lambda),
                        Contains("regret_to_cells: costs has 1"));
    }
    CHECK_THROWS_WITH(ur::plug_in_choices(p, phi, ur::make_matrix<double>(cells + 1, m, .5), lambda),
                      Contains("plug_in_choices: profiles is"));
    CHECK_THROWS_WITH(ur::plug_in_choices(p, phi, ur::make_matrix<double>(cells, m + 1, .5), lambda),
                      Contains("plug_in_choices: profiles is"));
    CHECK_THROWS_WITH(ur::plug_in_choices(p, memberships(1, n + 1, cells, true), given, lambda),
                      Contains("plug_in_choices: memberships"));
    for (const double bad : {-1e-9, infinite})
      CHECK_THROWS_WITH(ur::plug_in_choices(p, phi, given, bad), Contains("plug_in_choices: lambda"));
  }
}

TEST_CASE("regret along the price is the rule's and the best rule's risk at every price") {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    auto p = drawn(seed, 6, 3);
    ur::random_engine engine(seed);
    auto predicted = ur::make_matrix<double>(6, 3), estimates = ur::make_matrix<double>(1, 3);
    for (double& v : p.expected_losses) v = static_cast<double>(engine.below(9)) / 8;
    for (double& v : p.costs) v = static_cast<double>(1 + engine.below(8)) / 8;
    // Every second time the rule knows what the best knows: both change at the same prices.
    predicted = p.expected_losses;
    estimates = p.costs;
    if (seed % 2 == 0) {
      for (double& v : predicted) v = static_cast<double>(engine.below(9)) / 8;
    }
    const auto steps = ur::trace_regret(p, predicted, estimates);
    CHECK(steps[0].lambda == 0);
    for (std::size_t s = 0; s < steps.size(); ++s) {
      if (s > 0) CHECK(steps[s].lambda > steps[s - 1].lambda);
      const double lambda =
          s + 1 < steps.size() ? (steps[s].lambda + steps[s + 1].lambda) / 2 : 2 * steps[s].lambda + 1;
      for (const bool best : {true, false}) {
        reference::table losses, costs;
        for (std::size_t i = 0; i < 6; ++i) {
          losses.emplace_back(ur::row(best ? p.expected_losses : predicted, i).begin(),
                              ur::row(best ? p.expected_losses : predicted, i).end());
          costs.emplace_back(ur::row(p.costs, 0).begin(), ur::row(p.costs, 0).end());
        }
        const auto choice = reference::choices_at(losses, costs, lambda);
        double loss = 0, cost = 0;
        for (std::size_t i = 0; i < 6; ++i) {
          loss += p.weights[i] * p.expected_losses(i, choice[i]);
          cost += p.weights[i] * p.costs(0, choice[i]);
        }
        CHECK((best ? steps[s].best : steps[s].rule).loss == Approx(loss).margin(1e-12));
        CHECK((best ? steps[s].best : steps[s].rule).cost == Approx(cost).margin(1e-12));
      }
    }
    CHECK_THROWS_WITH(ur::trace_regret(p, ur::make_matrix<double>(5, 3, .5), estimates),
                      Contains("trace_regret: predicted is 5 x 3"));
    CHECK_THROWS_WITH(ur::trace_regret(p, predicted, ur::make_matrix<double>(2, 3, .5)),
                      Contains("trace_regret: estimates is 2 x 3"));
    CHECK_THROWS_WITH(ur::trace_regret(p, predicted, ur::make_matrix<double>(1, 2, .5)),
                      Contains("trace_regret: estimates is 1 x 2"));
    CHECK_THROWS_WITH(ur::trace_regret(p, predicted, ur::make_matrix<double>(1, 3, -.5)), Contains("a cost estimate"));
  }
}

TEST_CASE("populations, risks and optima refuse shapes, weights and draws that are none") {
  const auto p = drawn(1);
  const std::size_t n = p.size(), m = p.model_count();
  CHECK_THROWS_WITH(ur::risk_of(p, ur::make_matrix<double>(n, m + 1, .25)), Contains("probabilities is"));
  CHECK_THROWS_WITH(ur::risk_of(p, ur::make_matrix<double>(n - 1, m, 1.0 / 3)), Contains("probabilities is"));
  auto draws = ur::make_matrix<double>(n, m, 1.0 / 3);
  double loss = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) loss += p.weights[i] * p.expected_losses(i, h) / 3;
  }
  CHECK(ur::risk_of(p, draws).loss == Approx(loss));
  draws(2, 1) += 1e-6;
  CHECK_THROWS_WITH(ur::risk_of(p, draws), Contains("the sum of row 2"));
  draws(2, 1) = -1e-3;
  CHECK_THROWS_WITH(ur::risk_of(p, draws), Contains("probabilities(2, 1)"));
  CHECK_THROWS_WITH(ur::risk_of(p, std::vector<std::uint32_t>(n - 1, 0)), Contains("choices has"));
  CHECK_THROWS_WITH(ur::risk_of(p, std::vector<std::uint32_t>(n, 3)), Contains("choices[0] is 3"));
  for (const double bad : {-1e-9, infinite}) {
    CHECK_THROWS_WITH(ur::oracle_choices(p, bad), Contains("oracle_choices: lambda"));
    CHECK_THROWS_WITH(ur::regret_of(p, std::vector<std::uint32_t>(n, 0), bad), Contains("lambda"));
    CHECK_THROWS_WITH(ur::oracle_at_budget(p, bad), Contains("oracle_at_budget: budget"));
  }
  auto bad = p;
  bad.weights[0] += 1e-6;
  CHECK_THROWS_WITH(ur::oracle_choices(bad, 0), Contains("the sum of weights"));
  bad = p;
  bad.costs = ur::make_matrix<double>(2, m, 1.0);
  CHECK_THROWS_WITH(ur::oracle_choices(bad, 0), Contains("costs is 2 x 3"));
  bad.costs = ur::make_matrix<double>(1, m - 1, 1.0);
  CHECK_THROWS_WITH(ur::oracle_choices(bad, 0), Contains("costs is 1 x 2"));
  bad = p;
  bad.expected_losses = ur::make_matrix<double>(n + 1, m, .5);
  CHECK_THROWS_WITH(ur::oracle_choices(bad, 0), Contains("expected_losses is"));
  bad.expected_losses = ur::make_matrix<double>(n, 0);
  CHECK_THROWS_WITH(ur::oracle_choices(bad, 0), Contains("at least 1 x 1"));
}

TEST_CASE("curves and metrics refuse shapes and values that are none") {
  const auto v = ur::make_matrix<double>(3, 2, .5);
  const auto row = ur::make_matrix<double>(1, 2, .5);
  CHECK_NOTHROW(ur::trace_curve(row, row, v, v));
  CHECK_THROWS_WITH(ur::trace_curve(v, v, v, row), Contains("costs is 1 x 2"));
  CHECK_THROWS_WITH(ur::trace_curve(ur::make_matrix<double>(2, 2, .5), v, v, v), Contains("predicted is 2 x 2"));
  CHECK_THROWS_WITH(ur::trace_curve(ur::make_matrix<double>(3, 1, .5), v, v, v), Contains("predicted is 3 x 1"));
  CHECK_THROWS_WITH(ur::trace_curve(v, ur::make_matrix<double>(2, 2, .5), v, v), Contains("estimates is 2 x 2"));
  CHECK_THROWS_WITH(ur::trace_curve(v, v, ur::make_matrix<double>(0, 2), v), Contains("losses is 0 x 2"));
  CHECK_THROWS_AS(ur::trace_curve(v, ur::make_matrix<double>(3, 2, -1.0), v, v), std::domain_error);
  auto odd = v;
  odd(2, 1) = std::nan("");
  CHECK_THROWS_AS(ur::trace_curve(odd, v, v, v), std::domain_error);
  CHECK(ur::columns(ur::trace_curve(v, v, v, v).shares) == 0);
  const auto curve = ur::trace_curve(v, v, v, v, {.shares = true});
  CHECK_THROWS_WITH(ur::shuffled_choices(ur::trace_curve(v, v, v, v), v, v), Contains("has no shares"));
  CHECK_THROWS_WITH(ur::shuffled_choices(curve, ur::make_matrix<double>(3, 3, .5), ur::make_matrix<double>(3, 3, .5)),
                    Contains("has no shares"));
  CHECK_THROWS_WITH(ur::range_of({}), Contains("models has 0 entries"));
  CHECK_THROWS_WITH(ur::curve_function(ur::deferral_curve{}, {}), Contains("0 points"));
  ur::deferral_curve two;
  two.points = {{0, .5, .4, 1}, {1, .2, .3, 1}};
  const ur::curve_function f(two, {.2, .3, .5});
  for (const double bad : {0.0, -.1, 1.01}) CHECK_THROWS_WITH(ur::area(f, bad), Contains("area: share"));
  CHECK(ur::name_of(ur::curve_envelope::none) == "none");
  CHECK(ur::name_of(ur::curve_envelope::hull) == "hull");
  CHECK(ur::name_of(ur::curve_envelope::running_maximum) == "running maximum");
}

TEST_CASE("the protocol refuses shares, categories and sides that leave nothing") {
  const auto table = uniroute_tests::small_table(
      "p ", 40, 6, [](std::size_t i, std::size_t h) { return static_cast<double>((i + h) % 2); });
  const auto embed = [&](auto) { return table.embeddings(); };
  const auto run = [&](ur::protocol_options o) {
    o.trials = o.trials == 100 ? 1 : o.trials;
    o.threads = 1;
    return ur::run_protocol(table, embed, {ur::best_single()}, o);
  };
  CHECK_NOTHROW(run({}));
  for (const double bad : {0.0, 1.0}) CHECK_THROWS_WITH(run({.test = bad}), Contains("run_protocol: test is"));
  for (const double bad : {-.1, 1.0}) CHECK_THROWS_WITH(run({.hidden = bad}), Contains("run_protocol: hidden is"));
  CHECK_THROWS_WITH(run({.shift = true}), Contains("which has no categories"));
  CHECK_THROWS_WITH(ur::run_protocol(table, [](auto) { return ur::make_matrix<float>(3, 1, 0.0F); },
                                     {ur::best_single()}, {.trials = 1, .threads = 1}),
                    Contains("embed returned 3 rows"));
  auto parts = table.parts();
  for (std::size_t i = 0; i < 40; ++i) parts.categories.push_back("all");
  const ur::routing_table one(parts);
  CHECK_THROWS_WITH(ur::run_protocol(one, embed, {ur::best_single()}, {.trials = 1, .threads = 1, .shift = true}),
                    Contains("has no category of 200 prompts or more"));
  const auto result = run({.trials = 2});
  CHECK_THROWS_WITH(result.method("none"), Contains("'none' is not a method of this result"));
  // Nothing is hidden unless asked for; of what is hidden each LLM keeps an outcome.
  const ur::routing_method spy{"spy", [](const ur::trial_data& t) {
                                 for (std::size_t h = 0; h < t.unseen.size(); ++h) {
                                   std::size_t left = 0;
                                   for (std::size_t i = 0; i < ur::rows(t.validation_losses); ++i)
                                     left += ur::is_missing(t.validation_losses(i, h)) ? 0u : 1u;
                                   CHECK(left >= 1);
                                   CHECK(left < ur::rows(t.validation_losses) / 2);
                                 }
                                 return ur::prediction{ur::make_matrix<double>(1, t.unseen.size(), .5),
                                                       ur::make_matrix<double>(1, t.unseen.size(), 1.0)};
                               }};
  ur::run_protocol(table, embed, {spy}, {.trials = 3, .threads = 1, .hidden = .9});
}
