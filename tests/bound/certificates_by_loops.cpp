// Certificates and guards beside the same in plain loops (support/reference/bounds.hpp), on random small tables: pools
// of 1 to 4 LLMs in other orders than the table's, 0-1 and graded losses, missing ones, one cost an LLM and costs by
// prompt, prices from 0 up. The reference knows nothing of routers: it gets labels, choices and columns.

#include <catch2/catch.hpp>
#include <support/reference/bounds.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

struct toy {
  bool graded = false, incomplete = false;
  std::size_t models = 3;
};

double uniform(ur::random_engine& engine) { return engine.uniform(); }

ur::routing_table draw(std::size_t n, const std::string& prefix, const toy& kind, ur::random_engine& engine) {
  ur::routing_table_parts parts;
  parts.name = "toy";
  const std::size_t all = kind.models + 2;
  for (std::size_t h = 0; h < all; ++h) parts.models.push_back({.name = std::string(1, static_cast<char>('z' - h))});
  parts.losses = ur::make_matrix<double>(n, all);
  parts.costs = ur::make_matrix<double>(n, all);
  parts.embeddings = ur::make_matrix<float>(n, 2);
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(prefix + std::to_string(i));
    const double where = std::floor(3 * uniform(engine));
    parts.embeddings(i, 0) = static_cast<float>(10 * where + uniform(engine));
    parts.embeddings(i, 1) = static_cast<float>(uniform(engine));
    for (std::size_t h = 0; h < all; ++h) {
      const double mean = .15 + .7 * std::fabs(std::sin(1.7 * static_cast<double>(h) + 2.3 * where));
      const double u = uniform(engine);
      parts.losses(i, h) = kind.graded ? .5 * mean + .5 * u : (u < mean ? 1 : 0);
      parts.costs(i, h) = (.1 + .2 * static_cast<double>(h)) * (.5 + uniform(engine));
      if (kind.incomplete && i >= 3 && uniform(engine) < .15) parts.losses(i, h) = ur::missing;
    }
  }
  return ur::routing_table(std::move(parts));
}

template <class Matrix>
reference::table rows_of(const Matrix& m, const std::vector<std::size_t>& columns) {
  reference::table out;
  for (std::size_t i = 0; i < ur::rows(m); ++i) {
    out.emplace_back();
    for (const std::size_t h : columns) out.back().push_back(m(i, h));
  }
  return out;
}

std::vector<std::size_t> wide(const std::vector<std::uint32_t>& v) { return {v.begin(), v.end()}; }

auto make_router(double lambda) {
  return ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 3}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = lambda}}};
}

/// A router on three cells, its pool enrolled in another order than the table's, the sample and what it means in rows.
struct experiment {
  toy kind;
  double lambda;
  decltype(make_router(0)) router;
  ur::routing_table sample;
  std::vector<std::size_t> columns;         // of the pool in the table
  reference::table losses, paid, declared;  // n x M in the pool's order
  std::vector<std::size_t> choices, labels, by_cell;
  reference::column costs;
  double largest = 0;

  experiment(toy k, std::uint64_t seed, double price, std::size_t n)
      : kind(k), lambda(price), router(make_router(price)) {
    ur::random_engine engine(seed);
    const ur::routing_table train = draw(40, "train ", kind, engine),
                            validation = draw(30, "validation ", kind, engine);
    sample = draw(n, "sample ", kind, engine);
    router.fit(train);
    for (std::size_t h = 0; h < kind.models; ++h) columns.push_back((h * 2 + 1) % (kind.models + 2));
    std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    if (columns.size() > 1) std::swap(columns[0], columns[1]);
    std::vector<std::string> names;
    for (const std::size_t h : columns) names.push_back(sample.models()[h].name);
    router.enroll(validation, names);
    for (std::size_t h = 0; h < names.size(); ++h) router.reprice(names[h], .05 + .3 * static_cast<double>(columns[h]));
    losses = rows_of(sample.losses(), columns);
    paid = rows_of(sample.costs(), columns);
    costs.assign(router.costs().costs().begin(), router.costs().costs().end());
    declared.assign(n, costs);
    choices = wide(router.route(sample.embeddings()));
    labels = wide(router.predictor_policy().map().labels(sample.embeddings()));
    const auto profiles = router.predictor_policy().profile_losses();
    for (std::size_t c = 0; c < 3;
         ++c) {  // names sort against the table's order: ties are not reached by these numbers
      reference::table one{{}};
      for (std::size_t h = 0; h < columns.size(); ++h) one[0].push_back(profiles(h, c));
      by_cell.push_back(reference::choices_at(one, {costs}, lambda)[0]);
    }
    for (const auto& of : paid) largest = std::max(largest, *std::max_element(of.begin(), of.end()));
    largest *= 1.1;
  }
};

void check(const ur::interval& ours, const ur::interval& theirs) {
  CHECK(ours.lower == Approx(theirs.lower).margin(1e-9));
  CHECK(ours.upper == Approx(theirs.upper).margin(1e-9));
}

template <class Body>
void for_each_experiment(Body&& body) {
  std::uint64_t seed = 1;
  for (const bool graded : {false, true}) {
    for (const bool incomplete : {false, true}) {
      for (const std::size_t models : {std::size_t{1}, std::size_t{3}, std::size_t{4}}) {
        for (const double lambda : {0.0, .4, 3.0}) body(experiment({graded, incomplete, models}, ++seed, lambda, 60));
      }
    }
  }
}

}  // namespace

TEST_CASE("cell certificates are those of the reference") {
  for_each_experiment([](const experiment& e) {
    const auto compare = [&](const ur::certificate& c, const reference::cells& r) {
      CHECK(c.gap_adaptive == Approx(r.gap_adaptive).margin(1e-9));
      CHECK(c.uniform == Approx(r.uniform).margin(1e-9));
      CHECK(c.estimation == Approx(r.estimation).margin(1e-9));
      CHECK(wide(c.choices) == e.by_cell);
      for (std::size_t k = 0; k < 3; ++k) {
        for (std::size_t h = 0; h < e.columns.size(); ++h)
          check({c.lower(k, h), c.upper(k, h)}, {r.lower[k][h], r.upper[k][h]});
      }
    };
    const ur::confidence_level level{.8};
    const reference::column none, known{.2, .5, .3}, zero(e.columns.size(), 0.0);
    compare(ur::certify<ur::betting>(e.router, e.sample, level),
            reference::certify<ur::betting>(e.losses, e.labels, 3, e.by_cell, e.costs, e.lambda, .2, .1, 1, none));
    compare(ur::certify<ur::hoeffding>(e.router, e.sample, level, {.share_part = .3}),
            reference::certify<ur::hoeffding>(e.losses, e.labels, 3, e.by_cell, e.costs, e.lambda, .2, .3, 1, none));
    compare(ur::certify<ur::empirical_bernstein>(e.router, e.sample, level, {.cell_shares = known}),
            reference::certify<ur::empirical_bernstein>(e.losses, e.labels, 3, e.by_cell, e.costs, e.lambda, .2, .1, 1,
                                                        known));
    if (!e.kind.graded)
      compare(
          ur::certify<ur::exact_binomial>(e.router, ur::as_binary(e.sample), level),
          reference::certify<ur::exact_binomial>(e.losses, e.labels, 3, e.by_cell, e.costs, e.lambda, .2, .1, 1, none));
    // From counts alone, for any choices: the same again.
    const auto losses = [&] {
      auto out = ur::make_matrix<double>(e.losses.size(), e.columns.size());
      for (std::size_t i = 0; i < e.losses.size(); ++i)
        std::copy(e.losses[i].begin(), e.losses[i].end(), ur::row(out, i).begin());
      return out;
    }();
    const std::vector<std::uint32_t> labels(e.labels.begin(), e.labels.end()),
        chosen(e.by_cell.begin(), e.by_cell.end());
    std::vector<std::size_t> in_order(e.columns.size());
    std::iota(in_order.begin(), in_order.end(), std::size_t{0});
    const auto counted = ur::summarise(ur::cell_outcomes{labels, losses, 3, in_order});
    compare(ur::certify_counts<ur::hoeffding>(counted, chosen, e.costs, e.lambda, .2, {}, .3),
            reference::certify<ur::hoeffding>(e.losses, e.labels, 3, e.by_cell, e.costs, e.lambda, .2, .3, 1, none));
    compare(ur::certify_counts<ur::hoeffding>(counted, chosen, e.costs, e.lambda, .2, known),
            reference::certify<ur::hoeffding>(e.losses, e.labels, 3, e.by_cell, e.costs, e.lambda, .2, .1, 1, known));
    // Costs by prompt: the same of ℓ + λ c, in which the price of the choices is part of the means.
    if (e.lambda == 0) return;
    reference::table objective = e.losses;
    for (std::size_t i = 0; i < objective.size(); ++i) {
      for (std::size_t h = 0; h < objective[i].size(); ++h) objective[i][h] += e.lambda * e.paid[i][h];
    }
    const double scale = 1 + e.lambda * e.largest;
    compare(ur::certify<ur::betting>(e.router, e.sample, level, {.largest_cost = e.largest}),
            reference::certify<ur::betting>(objective, e.labels, 3, e.by_cell, zero, 0, .2, .1, scale, none));
  });
}

TEST_CASE("soft certificates are those of the reference") {
  std::uint64_t seed = 900;
  for (const std::size_t models : {std::size_t{1}, std::size_t{3}, std::size_t{4}}) {
    for (const double lambda : {0.0, .4, 3.0}) {
      const toy kind{true, false, models};
      ur::random_engine engine(++seed);
      const auto train = draw(40, "train ", kind, engine), validation = draw(30, "validation ", kind, engine),
                 sample = draw(40, "sample ", kind, engine), unlabelled = draw(35, "unlabelled ", kind, engine);
      ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 2}},
                        ur::proximity_map{{.relative_bandwidth = 20}}, ur::cell_mean{},
                        ur::lagrangian_rule{{.lambda = lambda}}};
      router.fit(train);
      std::vector<std::size_t> columns;
      std::vector<std::string> names;
      for (std::size_t h = 0; h < models; ++h) {
        columns.push_back(models - h);
        names.push_back(sample.models()[columns[h]].name);
      }
      router.enroll(validation, names);
      for (std::size_t h = 0; h < models; ++h) router.reprice(names[h], .05 + .3 * static_cast<double>(columns[h]));
      const reference::column costs(router.costs().costs().begin(), router.costs().costs().end());
      const auto& map = router.predictor_policy().map();
      const auto phi = rows_of(map.memberships(unlabelled.embeddings()), {0, 1});
      const auto choices = wide(router.route(unlabelled.embeddings()));
      double largest = 0;
      for (const double c : sample.costs()) largest = std::max(largest, 1.2 * c);
      for (const bool by_prompt : {false, true}) {
        const bool priced = by_prompt && lambda > 0;
        const double scale = priced ? 1 + lambda * largest : 1;
        const auto inside = rows_of(map.memberships(sample.embeddings()), {0, 1});
        auto losses = rows_of(sample.losses(), columns);
        const auto paid = rows_of(sample.costs(), columns);
        reference::table lower(2), upper(2);
        for (std::size_t k = 0; k < 2; ++k) {
          for (std::size_t h = 0; h < models; ++h) {
            reference::column values, weights;
            for (std::size_t i = 0; i < 40; ++i) {
              values.push_back((losses[i][h] + (priced ? lambda * paid[i][h] : 0)) / scale);
              weights.push_back(inside[i][k]);
            }
            const auto around = ur::betting::make(values, weights, .2 * .75 / 2 / static_cast<double>(models));
            lower[k].push_back(scale * around.lower);
            upper[k].push_back(scale * around.upper);
          }
        }
        ur::certify_soft_options options{.share_part = .25};
        if (by_prompt) options.largest_cost = largest;
        const auto c = ur::certify_soft(router, sample, unlabelled, ur::confidence_level{.8}, options);
        const auto r = reference::certify_memberships(phi, choices, priced ? reference::column(models, 0.0) : costs,
                                                      priced ? 0 : lambda, lower, upper, .2 * .25);
        CHECK(c.gap_adaptive == Approx(r.gap_adaptive).margin(1e-9));
        CHECK(c.estimation == Approx(r.estimation).margin(1e-9));
        CHECK(c.uniform == Approx(r.uniform).margin(1e-9));
        for (std::size_t k = 0; k < 2; ++k) {
          for (std::size_t h = 0; h < models; ++h) check({c.lower(k, h), c.upper(k, h)}, {lower[k][h], upper[k][h]});
          CHECK(c.parts[k].share == Approx(r.share[k]));
          CHECK(c.parts[k].amount == Approx(r.amount[k]).margin(1e-12));
          CHECK(c.parts[k].gap == Approx(r.amount[k] / r.share[k]).margin(1e-12));
        }
        CHECK(c.lambda == lambda);
        CHECK(c.level == .8);
        CHECK(c.largest_objective == (priced ? scale : 0));
      }
    }
  }
}

TEST_CASE("labels are planned as by trying all numbers of them") {
  const reference::column shares{.2, .5, .3};
  for (const double wanted : {.7, .5, .35}) {
    for (const double mean : {.1, .5}) {
      const std::size_t planned = ur::labels_for_width<ur::hoeffding>(
          wanted, 3, 4, ur::confidence_level{.9}, {.cell_shares = shares, .mean = mean, .share_part = .2});
      CHECK(planned == reference::least(20'000, [&](std::size_t n) {
              double sum = 0;
              for (const double p : shares) {
                const auto in_cell = static_cast<std::size_t>(p * static_cast<double>(n));
                const auto i = ur::hoeffding::make(mean * static_cast<double>(in_cell), in_cell, .1 * .8 / 12);
                sum += p * (i.upper - i.lower);
              }
              return sum <= wanted;
            }));
    }
  }
  CHECK(ur::labels_for_width<ur::hoeffding>(.01, 3, 4, ur::confidence_level{.9}, {.limit = 1000}) == ur::unreachable);
  std::size_t bought = 0, beyond = 0;
  // After a certificate: for each pair in doubt, as many as bring both ends within half of what is left.
  for_each_experiment([&](const experiment& e) {
    if (e.kind.incomplete) return;
    const bool priced = e.lambda > .5 && e.kind.graded;
    ur::certify_options options{.share_part = .25};
    if (priced) options.largest_cost = e.largest;
    const auto c = ur::certify<ur::hoeffding>(e.router, e.sample, ur::confidence_level{.8}, options);
    const double scale = priced ? 1 + e.lambda * e.largest : 1;
    for (const double share : {.05, .45, .7, 1.1}) {
      const double wanted = share * scale;
      const auto more = ur::more_labels<ur::hoeffding>(c, wanted, .25, 5000);
      const std::size_t m = e.columns.size();
      const double part = .2 * .75 / static_cast<double>(3 * m);
      for (std::size_t k = 0; k < 3; ++k) {
        std::vector<std::size_t> expected(m, 0);
        const std::size_t r = e.by_cell[k];
        for (std::size_t h = 0; h < m; ++h) {
          const double dearer = priced ? 0 : e.lambda * (e.costs[r] - e.costs[h]);
          if (h == r || c.upper(k, r) - c.lower(k, h) + dearer <= wanted) continue;
          const double left = wanted - (c.means(k, r) - c.means(k, h) + dearer);
          const auto need = [&](std::size_t model, bool up) {
            const double mean = c.means(k, model) / scale;
            const std::size_t n = left <= 0 ? ur::unreachable : reference::least(5000, [&](std::size_t count) {
              const auto i = ur::hoeffding::make(mean * static_cast<double>(count), count, part);
              return scale * (up ? i.upper - mean : mean - i.lower) <= left / 2;
            });
            const auto have = static_cast<std::size_t>(c.counts(k, model));
            if (n == ur::unreachable)
              expected[model] = ur::unreachable;
            else if (n > have)
              expected[model] = std::max(expected[model], n - have);
          };
          need(r, true);
          need(h, false);
        }
        for (std::size_t h = 0; h < m; ++h) {
          CHECK(more(k, h) == expected[h]);
          bought += expected[h] != 0 && expected[h] != ur::unreachable ? 1u : 0u;
          beyond += expected[h] == ur::unreachable ? 1u : 0u;
        }
      }
    }
  });
  CHECK(bought > 50);
  CHECK(beyond > 5);
}

TEST_CASE("held-out and hindsight certificates are those of the reference") {
  for_each_experiment([](const experiment& e) {
    for (const bool by_prompt : {false, true}) {
      const auto& costs = by_prompt ? e.paid : e.declared;
      double least = 1e9, most = 0;
      for (const double c : e.costs) {
        least = std::min(least, c);
        most = std::max(most, c);
      }
      const double largest = by_prompt ? e.largest : most, range = by_prompt ? e.largest : most - least;
      ur::held_out_options options{.lambda = e.lambda + .25};
      if (by_prompt) options.largest_cost = e.largest;
      const double lambda = e.lambda + .25;
      const ur::held_out whole{e.sample};
      const auto c = ur::certify_held_out(e.router, whole.reused(), ur::confidence_level{.7}, options);
      const auto r =
          reference::certify_held_out<ur::betting>(e.losses, costs, e.paid, e.choices, lambda, largest, range, .3);
      check(c.risk, r.risk);
      check(c.adjusted_risk, r.adjusted_risk);
      check(c.to_best_single, r.to_best_single);
      check(c.to_zero_router, r.to_zero_router);
      REQUIRE(c.to_single.size() == e.columns.size());
      for (std::size_t h = 0; h < e.columns.size(); ++h) {
        check(c.to_single[h], r.to_single[h]);
        check(c.to_single_adjusted[h], r.to_single_adjusted[h]);
      }
      CHECK(c.mean.loss == Approx(r.mean_loss));
      CHECK(c.mean.cost == Approx(r.mean_cost));
      CHECK(c.best_single == r.best_single);
      CHECK(c.missing == r.missing);
      CHECK(c.prompts == 60);
      CHECK(c.lambda == lambda);
      CHECK(c.level == .7);
      const auto h = ur::certify_hindsight(e.router, whole.reused(), ur::confidence_level{.7}, options);
      CHECK(h.regret.lower == 0);
      CHECK(h.regret.upper ==
            Approx(reference::certify_hindsight(e.losses, costs, e.choices, lambda, range, .3)).margin(1e-9));
      CHECK(h.prompts == 60);
      CHECK(h.lambda == lambda);
    }
    // Not given, the price is the rule's own.
    CHECK(ur::certify_held_out(e.router, ur::held_out{e.sample}, ur::confidence_level{.7}).lambda == e.lambda);
    // By another interval, with its own bits.
    const auto c = ur::certify_held_out<ur::hoeffding>(e.router, ur::held_out{e.sample}, ur::confidence_level{.9});
    double least = 1e9, most = 0;
    for (const double cost : e.costs) {
      least = std::min(least, cost);
      most = std::max(most, cost);
    }
    const auto r = reference::certify_held_out<ur::hoeffding>(e.losses, e.declared, e.paid, e.choices, e.lambda, most,
                                                              most - least, .1);
    check(c.to_zero_router, r.to_zero_router);
    check(c.to_best_single, r.to_best_single);
  });
}

TEST_CASE("guards pass as many prices as the reference, and stop at the first that fails") {
  std::size_t partly = 0, quality_broken = 0;
  for_each_experiment([&](const experiment& e) {
    // Predictions with ties, so that choices repeat; prices in no order.
    reference::table predicted(60);
    auto predictions = ur::make_matrix<double>(60, e.columns.size()), costs = predictions, losses = predictions,
         paid = predictions;
    for (std::size_t i = 0; i < 60; ++i) {
      for (std::size_t h = 0; h < e.columns.size(); ++h) {
        const double loss = e.losses[i][h];
        predicted[i].push_back(.25 * std::round(4 * (reference::absent(loss) ? .5 : .2 + .6 * loss)));
        predictions(i, h) = predicted[i][h];
        costs(i, h) = e.costs[h];
        losses(i, h) = loss;
        paid(i, h) = e.paid[i][h];
      }
    }
    const reference::column lambdas{0, .2, .5, 1, 4, .1, 20};
    const std::size_t m = e.columns.size();
    for (const double epsilon : {.02, .15, .4}) {
      for (const bool every : {true, false}) {
        const std::size_t safe = m - 1;
        const auto report = ur::guard_quality_counts(predictions, costs, losses, safe, every, epsilon, lambdas, .2);
        const std::size_t passed =
            reference::quality_prices(predicted, e.declared, e.losses,
                                      every ? std::nullopt : std::optional<std::size_t>(safe), epsilon, lambdas, .2);
        CHECK(report.steps.size() == std::min(passed + 1, lambdas.size()));
        for (std::size_t s = 0; s < report.steps.size(); ++s) {
          CHECK(report.steps[s].lambda == lambdas[s]);
          CHECK(report.steps[s].passed == (s < passed));
        }
        CHECK(report.abstains == (passed == 0));
        CHECK(report.lambda == (passed == 0 ? 0 : lambdas[passed - 1]));
        CHECK(report.promised == (passed != 0 || !every));
        partly += passed != 0 && passed < lambdas.size() ? 1u : 0u;
        quality_broken += passed == 0 ? 1u : 0u;
      }
    }
    const auto cheapest = static_cast<std::size_t>(std::min_element(e.costs.begin(), e.costs.end()) - e.costs.begin());
    const reference::column falling{20, 4, 1, .5, .2, .1, 0};
    for (const double budget :
         {e.costs[cheapest] * 1.2, e.costs[cheapest] * 2, e.largest * .9, e.largest, e.largest * 2}) {
      if (budget < e.costs[cheapest]) continue;
      const auto report = ur::guard_cost_counts(predictions, costs, paid, cheapest, budget, e.largest, falling, .2);
      const std::size_t passed = reference::cost_prices(predicted, e.declared, e.paid, budget, e.largest, falling, .2);
      CHECK(report.steps.size() == std::min(passed + 1, falling.size()));
      CHECK(report.abstains == (passed == 0));
      CHECK(report.promised == (passed != 0 || budget >= e.largest));
      CHECK(report.lambda == (passed == 0 ? 0 : falling[passed - 1]));
      partly += passed != 0 && passed < falling.size() ? 1u : 0u;
    }
  });
  // The tables reach all that there is to tell.
  CHECK(partly > 10);
  CHECK(quality_broken > 10);
}
