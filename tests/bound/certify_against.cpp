// The comparator certificate: against a page of loops, by exact enumeration, and how often it holds.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// The order in which rows are bet on.
std::vector<std::size_t> drawn(std::size_t n) {
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  ur::random_engine draws(ur::derive_seed(20502773, n));
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);
  return order;
}

/// The bound by plain loops: the least m whose least capital reaches 1/δ at one of nine looks, bets as in
/// docs/theory.md.
double by_loops(const std::vector<std::vector<double>>& d, const std::vector<std::size_t>& cell, std::size_t cells,
                double range, double delta) {
  const std::size_t n = d.size(), m = d[0].size();
  const auto order = drawn(n);
  std::vector<double> bet;
  for (std::size_t t = 0; t < n; ++t) {
    // The variance so far of the differences to the rule that was best before each row.
    double error = 1, sum = 0;
    for (std::size_t s = 0; s < t; ++s) {
      const std::size_t k = cell[order[s]];
      std::size_t best = 0;
      std::vector<double> before(m, 0.0);
      for (std::size_t u = 0; u < s; ++u) {
        for (std::size_t h = 0; h < m; ++h) before[h] += cell[order[u]] == k ? d[order[u]][h] : 0;
      }
      for (std::size_t h = 1; h < m; ++h) best = before[h] > before[best] ? h : best;
      const double value = d[order[s]][best] / range;
      error += std::pow(value - sum / static_cast<double>(s + 1), 2);
      sum += value;
    }
    const double variance = error / static_cast<double>(t + 1);
    bet.push_back(std::sqrt(2 * std::log(1 / delta) / (static_cast<double>(n) * variance)) / range);
  }
  const auto reaches = [&](double m_of) {
    for (std::size_t part = 8; part <= 16; ++part) {
      double log_least = 0;
      for (std::size_t k = 0; k < cells; ++k) {
        double least = 1e300;
        for (std::size_t h = 0; h < m; ++h) {
          double log_capital = 0;
          for (std::size_t t = 0; t < n * part / 16; ++t) {
            if (cell[order[t]] != k) continue;
            const double b = m_of < range ? std::min(bet[t], .75 / (range - m_of)) : bet[t];
            log_capital += std::log(1 + b * (m_of - d[order[t]][h]));
          }
          least = std::min(least, log_capital);
        }
        log_least += least;
      }
      if (log_least >= std::log(1 / delta)) return true;
    }
    return false;
  };
  double low = -range, high = range;
  if (!reaches(high)) return range;
  for (int step = 0; step < 40; ++step) {
    const double middle = (low + high) / 2;
    (reaches(middle) ? high : low) = middle;
  }
  return high;
}

/// The same where a prior is paid for: the least m whose mixture of least capitals at the end reaches 1/δ, bets fixed.
double with_prior_by_loops(const std::vector<std::vector<double>>& d, const std::vector<std::size_t>& cell,
                           std::size_t cells, double delta, const std::vector<std::vector<double>>& prior) {
  std::vector<double> stakes{.9};
  for (double stake = std::sqrt(2 * std::log(1 / delta) / static_cast<double>(d.size())); stake < .9; stake *= 2)
    stakes.push_back(stake);
  const auto e_value = [&](double m) {
    double sum = 0;
    for (const double stake : stakes) {
      const double bet = m < 1 ? std::min(stake, .75 / (1 - m)) : stake;
      double log_least = 0;
      for (std::size_t k = 0; k < cells; ++k) {
        double least = 1e300;
        for (std::size_t h = 0; h < d[0].size(); ++h) {
          double log_capital = prior[k][h];
          for (std::size_t i = 0; i < d.size(); ++i) {
            if (cell[i] == k) log_capital += std::log(1 + bet * (m - d[i][h]));
          }
          least = std::min(least, log_capital);
        }
        log_least += least;
      }
      sum += std::exp(log_least) / static_cast<double>(stakes.size());
    }
    return sum;
  };
  double low = -1, high = 1;
  for (int step = 0; step < 40; ++step) {
    const double middle = (low + high) / 2;
    (e_value(middle) >= 1 / delta ? high : low) = middle;
  }
  return high;
}

/// A router of two or three lines: it asks LLM `choice[i]` of the prompt whose first entry is i.
struct listed {
  std::vector<std::string> names;
  std::vector<std::uint32_t> choice;
  ur::precomputed_embeddings source;

  const std::vector<std::string>& models() const { return names; }
  const ur::precomputed_embeddings& reader() const { return source; }
  std::vector<std::uint32_t> route(const ur::embedding_matrix& x) const {
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < ur::rows(x); ++i) out.push_back(choice[static_cast<std::size_t>(x(i, 0))]);
    return out;
  }
};

/// Cells by the second entry of the embedding.
struct second_entry {
  std::size_t cells = 3;
  ur::embedding_matrix none = ur::make_matrix<float>(3, 2, 0.F);
  void fit(const ur::embedding_matrix&) {}
  std::size_t size() const { return cells; }
  const ur::embedding_matrix& centroids() const { return none; }
  ur::label_vector assign(const ur::embedding_matrix& x) const {
    ur::label_vector out;
    for (std::size_t i = 0; i < ur::rows(x); ++i) out.push_back(static_cast<std::uint32_t>(x(i, 1)));
    return out;
  }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
static_assert(ur::clustering<second_entry>);

struct random_case {
  ur::routing_table table;
  listed router;
  std::vector<std::size_t> cell;
};

random_case make_case(std::uint64_t seed, std::size_t n, std::size_t m, bool graded, bool gaps) {
  ur::random_engine draws(seed);
  ur::routing_table_parts parts;
  parts.name = "case";
  parts.losses = ur::make_matrix<double>(n, m);
  parts.costs = ur::make_matrix<double>(n, m);
  parts.embeddings = ur::make_matrix<float>(n, 2);
  random_case out;
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(std::to_string(i));
    parts.embeddings(i, 0) = static_cast<float>(i);
    out.cell.push_back(draws.below(3));
    parts.embeddings(i, 1) = static_cast<float>(out.cell.back());
    for (std::size_t h = 0; h < m; ++h) {
      const double u = draws.uniform();
      parts.losses(i, h) = graded ? u : u < .2 + .1 * static_cast<double>(h) ? 1 : 0;
      if (gaps && draws.uniform() < .1) parts.losses(i, h) = ur::missing;
      parts.costs(i, h) = .4 * draws.uniform();
    }
    out.router.choice.push_back(static_cast<std::uint32_t>(draws.below(m)));
  }
  for (std::size_t h = 0; h < m; ++h) {
    parts.models.push_back({.name = "llm " + std::to_string(h)});
    out.router.names.insert(out.router.names.begin(), parts.models.back().name);  // another order than the table's
  }
  out.table = ur::routing_table(parts);
  out.router.source.fit(out.table.embeddings());
  return out;
}

ur::held_out<ur::bounded_loss> sample_of(const ur::routing_table& table) { return ur::held_out(table); }

}  // namespace

TEST_CASE("every class of comparators is bounded as by loops") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const bool graded = seed % 2 == 0, gaps = seed % 3 == 0;
    const double lambda = seed % 4 == 0 ? 0 : .5 * static_cast<double>(seed % 5);
    const std::size_t n = 20 + 17 * (seed % 5), m = 2 + seed % 3;
    const auto c = make_case(seed, n, m, graded, gaps);
    const double range = 1 + lambda * .4;
    std::vector<std::vector<double>> d(n, std::vector<double>(m));
    std::size_t missing = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = [&](std::size_t h) { return m - 1 - h; };
      const std::size_t r = at(c.router.choice[i]);
      const double mine = c.table.losses()(i, r);
      missing += mine != mine ? 1u : 0u;
      for (std::size_t h = 0; h < m; ++h) {
        const double other = c.table.losses()(i, at(h));
        d[i][h] = at(h) == r ? 0
                             : (mine != mine ? 1 : mine) - (other != other ? 0 : other) +
                                   lambda * (c.table.costs()(i, r) - c.table.costs()(i, at(h)));
      }
    }
    const ur::certify_against_options options{.lambda = lambda, .largest_cost = .4};
    const ur::confidence_level level{.9};
    const std::vector<std::size_t> one(n, 0);

    const auto single = ur::certify_against(c.router, sample_of(c.table), ur::against::best_single{}, level, options);
    CHECK(single.bound == Approx(by_loops(d, one, 1, range, .1)).margin(3e-6));
    CHECK(single.missing == missing);
    CHECK(single.trivial == Approx(range));
    double most = -9;
    for (std::size_t h = 0; h < m; ++h) {
      double mean = 0;
      for (std::size_t i = 0; i < n; ++i) mean += d[i][h] / static_cast<double>(n);
      most = std::max(most, mean);
    }
    CHECK(single.difference <= most + 1e-12);
    CHECK(single.bound >= single.difference);

    const auto cells =
        ur::certify_against(c.router, sample_of(c.table), ur::against::cells{second_entry{}}, level, options);
    CHECK(cells.bound == Approx(by_loops(d, c.cell, 3, range, .1)).margin(3e-6));
    CHECK(cells.sizes.size() == 3);
    CHECK(cells.sizes[0] + cells.sizes[1] + cells.sizes[2] == n);

    std::vector<std::vector<double>> best(n, std::vector<double>(1));
    for (std::size_t i = 0; i < n; ++i) best[i][0] = *std::max_element(d[i].begin(), d[i].end());
    const auto every = ur::certify_against(c.router, sample_of(c.table), ur::against::every_rule{}, level, options);
    CHECK(every.bound == Approx(by_loops(best, one, 1, range, .1)).margin(3e-6));

    ur::against::rules rules;
    std::vector<std::vector<double>> of(n, std::vector<double>(2));
    ur::random_engine draws(seed + 99);
    for (std::size_t r = 0; r < 2; ++r) {
      rules.choices.emplace_back();
      for (std::size_t i = 0; i < n; ++i) {
        rules.choices[r].push_back(static_cast<std::uint32_t>(draws.below(m)));
        of[i][r] = d[i][rules.choices[r][i]];
      }
    }
    const auto listed = ur::certify_against(c.router, sample_of(c.table), rules, level, options);
    CHECK(listed.bound == Approx(by_loops(of, one, 1, range, .1)).margin(3e-6));
    CHECK(listed.comparator.size() == 1);
    CHECK(listed.comparator[0] < 2);

    // A part of δ is a smaller δ.
    auto halves = sample_of(c.table).shares(2);
    const auto half = ur::certify_against(c.router, std::move(halves[0]), ur::against::best_single{}, level, options);
    CHECK(half.bound == Approx(by_loops(d, one, 1, range, .05)).margin(3e-6));
  }
}

TEST_CASE("the statement holds over every sequence of a small world, exactly") {
  // Two cells, two LLMs, n = 5: every sequence of (cell, loss of a, loss of b) with its probability. The router asks a
  // in cell 0 and b in cell 1, which is wrong in both, so that the true regret is .3 and .1 of the cells.
  const double p[2] = {.5, .5}, wrong[2][2] = {{.5, .2}, {.3, .4}};
  const double regret = p[0] * (wrong[0][0] - wrong[0][1]) + p[1] * (wrong[1][1] - wrong[1][0]);
  const std::size_t n = 5;
  double each[8];
  for (std::size_t t = 0; t < 8; ++t) {
    const std::size_t k = t / 4, a = t / 2 % 2, b = t % 2;
    each[t] = p[k] * (a ? wrong[k][0] : 1 - wrong[k][0]) * (b ? wrong[k][1] : 1 - wrong[k][1]);
  }
  for (const double delta : {.5, .3, .1}) {
    // The event itself, without the search for m: the capital at the true regret reaches 1/δ.
    double broken = 0, useful = 0, total = 0;
    ur::detail::comparison_sample s;
    s.difference = ur::make_matrix<double>(n, 2);
    s.count = 2;
    s.cells.assign(n, 0);
    for (std::size_t code = 0; code < (std::size_t{1} << (3 * n)); ++code) {
      double probability = 1;
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t t = code >> (3 * i) & 7U, cell = t / 4;
        const double la = static_cast<double>(t / 2 % 2), lb = static_cast<double>(t % 2);
        s.cells[i] = static_cast<std::uint32_t>(cell);
        s.difference(i, 0) = (cell == 0 ? la : lb) - la;
        s.difference(i, 1) = (cell == 0 ? la : lb) - lb;
        probability *= each[t];
      }
      const auto order = ur::detail::betting_order(n);
      const auto bets = ur::detail::comparator_bets(s, order, delta, n);
      const auto looks = ur::detail::late_looks(n);
      ur::detail::comparator_capital capital(s, order);
      total += probability;
      const std::vector<std::vector<double>> one{bets};
      if (ur::detail::log_evidence(capital, one, regret, looks) >= std::log(1 / delta)) broken += probability;
      if (ur::detail::log_evidence(capital, one, .999, looks) >= std::log(1 / delta)) useful += probability;
    }
    CHECK(total == Approx(1));
    CHECK(broken <= delta);
    if (delta == .5) CHECK(useful > .5);  // and says something
  }
}

TEST_CASE("held-out and same-sample bounds hold in a world, rows sorted, and are tighter than the box") {
  const ur::simulated_world world{{.dimension = 8, .heterogeneity = 0}};
  // The population: many prompts with known errors, in the order of their cells and losses.
  std::size_t held = 0, same = 0, worlds = 60, tighter = 0;
  double bounds = 0;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    const auto sample = world.sample(1500, seed);
    const auto split = ur::split(sample.table, {.train = .3, .validation = .4, .seen_models = .7, .seed = seed});
    ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 6, .seed = seed}}, ur::nearest_map{},
                      ur::cell_mean{}, ur::lagrangian_rule{}};
    router.fit(split.train);
    std::vector<std::string> pool(split.unseen.begin(), split.unseen.begin() + 4);
    router.enroll(split.validation, pool);
    // The true regret to the best constant choice in each cell, on a large fresh sample's expected losses.
    const auto fresh = world.sample(4000, seed + 1000);
    const auto labels = router.predictor_policy().map().labels(fresh.table.embeddings());
    const auto choices = router.route(fresh.table.embeddings());
    std::vector<std::vector<double>> sums(6, std::vector<double>(4, 0.0));
    double mine = 0;
    for (std::size_t i = 0; i < fresh.table.size(); ++i) {
      for (std::size_t h = 0; h < 4; ++h)
        sums[labels[i]][h] += fresh.expected_losses(i, fresh.table.model_index(router.models()[h])) / 4000;
      mine += fresh.expected_losses(i, fresh.table.model_index(router.models()[choices[i]])) / 4000;
    }
    for (const auto& of : sums) mine -= *std::min_element(of.begin(), of.end());
    const ur::confidence_level level{.8};
    const auto out = ur::certify_against(router, ur::held_out{split.test},
                                         ur::against::cells{router.predictor_policy().clustering_policy()}, level);
    const auto in = ur::certify_against_own_cells(router, split.validation, level);
    held += out.bound >= mine - 1e-3 ? 1u : 0u;
    same += in.bound >= mine - 1e-3 ? 1u : 0u;
    bounds += out.bound / static_cast<double>(worlds);
    const auto box = ur::certify<ur::betting>(router, split.validation, level);
    tighter += out.bound < box.gap_adaptive ? 1u : 0u;
  }
  // A bound at 1 − δ = .8 that had lost its δ (capital 1 for 1/δ) would hold in some .5 of worlds: three standard
  // errors of 60 worlds below .8 are .65.
  CHECK(static_cast<double>(held) / static_cast<double>(worlds) >= .65);
  CHECK(static_cast<double>(same) / static_cast<double>(worlds) >= .65);
  CHECK(bounds < .08);
  CHECK(tighter >= worlds - 2);
}

TEST_CASE("the same-sample prior is paid cell by cell, as by loops") {
  const auto sample = ur::simulated_world{{.dimension = 8}}.sample(500, 3);
  const auto split = ur::split(sample.table, {.seed = 5});
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 4}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  const auto out = ur::certify_against_own_cells(router, split.validation, ur::confidence_level{.9});
  const auto& table = split.validation;
  const auto choices = router.route(table.embeddings());
  const auto labels = router.predictor_policy().map().labels(table.embeddings());
  const std::size_t m = router.size();
  std::vector<std::vector<double>> d(table.size(), std::vector<double>(m)), prior(4, std::vector<double>(m));
  std::vector<std::size_t> cell(labels.begin(), labels.end());
  for (std::size_t i = 0; i < table.size(); ++i) {
    for (std::size_t h = 0; h < m; ++h) {
      d[i][h] = table.losses()(i, table.model_index(router.models()[choices[i]])) -
                table.losses()(i, table.model_index(router.models()[h]));
      prior[labels[i]][h] = choices[i] == h ? std::log(.75) : std::log(.25 / static_cast<double>(m - 1));
    }
  }
  CHECK(out.bound == Approx(with_prior_by_loops(d, cell, 4, .1, prior)).margin(3e-6));
  const auto lent =
      ur::certify_against(router, ur::held_out{split.test}, ur::against::best_single{}, ur::confidence_level{.9});
  CHECK(lent.lambda == 0);
  // A router that saw these prompts is refused, and so are labels by design.
  CHECK_THROWS_WITH(
      ur::certify_against(router, ur::held_out{split.validation}, ur::against::best_single{}, ur::confidence_level{.9}),
      Catch::Contains("was seen by enroll"));
  CHECK_THROWS_WITH(ur::certify_against_own_cells(router, split.train, ur::confidence_level{.9}),
                    Catch::Contains("was seen by fit"));
}

TEST_CASE("what cannot be bounded is refused, with the reason") {
  const auto c = make_case(1, 20, 2, false, false);
  const ur::confidence_level level{.9};
  const auto with = [&](ur::certify_against_options options) {
    return ur::certify_against(c.router, sample_of(c.table), ur::against::best_single{}, level, options);
  };
  CHECK_THROWS_WITH(with({.lambda = 1.0}), Catch::Contains("largest_cost is not declared"));
  CHECK_THROWS_WITH(with({.lambda = -1.0}), Catch::Contains("lambda is -1"));
  CHECK_THROWS_WITH(with({.lambda = 1.0, .largest_cost = -2.0}), Catch::Contains("largest_cost is -2"));
  CHECK_THROWS_AS(with({.lambda = 1.0, .largest_cost = .01}), std::domain_error);
  CHECK_THROWS_WITH(ur::certify_against(c.router, sample_of(c.table), ur::against::rules{}, level),
                    Catch::Contains("rules has 0 rules"));
  CHECK_THROWS_WITH(ur::certify_against(c.router, sample_of(c.table), ur::against::rules{{{0, 1}}}, level),
                    Catch::Contains("rule 0 has 2 choices"));
  CHECK_THROWS_WITH(
      ur::certify_against(c.router, sample_of(c.table), ur::against::rules{{std::vector<std::uint32_t>(20, 2)}}, level),
      Catch::Contains("a choice of rule 0 is 2"));
  CHECK_THROWS_AS(ur::certify_against(c.router, sample_of(c.table), ur::against::cells{ur::kmeans{}}, level),
                  ur::not_fitted);
  auto other = c.router;
  other.names[0] = "nobody";
  CHECK_THROWS_WITH(ur::certify_against(other, sample_of(c.table), ur::against::best_single{}, level),
                    Catch::Contains("nobody"));
  other.names.clear();
  CHECK_THROWS_AS(ur::certify_against(other, sample_of(c.table), ur::against::best_single{}, level), ur::not_fitted);
  // Any router: K-NN with its own rule, and a budget.
  const auto split = ur::split(ur::simulated_world{{.dimension = 8}}.sample(600, 1).table, {.seed = 2});
  ur::router knn{ur::precomputed_embeddings{}, ur::knn{{.neighbours = 20}}, ur::budget_rule{{.budget = 1}}};
  knn.fit(split.train);
  knn.enroll(split.validation, split.unseen);
  knn.calibrate(split.validation.embeddings());
  const auto out =
      ur::certify_against(knn, ur::held_out{split.test}, ur::against::best_single{}, level, {.lambda = 0.0});
  CHECK(out.bound < .2);
  CHECK(out.prompts == split.test.size());
  ur::router priced{ur::precomputed_embeddings{}, ur::knn{},
                    ur::lagrangian_rule{{.lambda = .1, .normalise_costs = true}}};
  priced.fit(split.train);
  priced.enroll(split.validation, split.unseen);
  CHECK_THROWS_WITH(ur::certify_against(priced, ur::held_out{split.test}, ur::against::best_single{}, level),
                    Catch::Contains("normalised"));
}

TEST_CASE("a path of prices is each price at its share of delta, chords between, and a word on what costs no more") {
  const auto c = make_case(9, 80, 3, true, false);
  const ur::confidence_level level{.9};
  const auto prices = ur::price_grid(.4);
  CHECK(prices.front() == 0);
  CHECK(prices.back() == Approx(7.5));
  const auto path =
      ur::certify_path(c.router, sample_of(c.table), ur::against::cells{second_entry{}}, level, prices, .4);
  REQUIRE(path.at_prices.size() == prices.size());
  double least = 9;
  for (std::size_t p = 0; p < prices.size(); ++p) {
    std::vector<std::vector<double>> d(80, std::vector<double>(3));
    for (std::size_t i = 0; i < 80; ++i) {
      const std::size_t r = 2 - c.router.choice[i];
      for (std::size_t h = 0; h < 3; ++h)
        d[i][h] = c.table.losses()(i, r) - c.table.losses()(i, 2 - h) +
                  prices[p] * (c.table.costs()(i, r) - c.table.costs()(i, 2 - h));
    }
    const double range = 1 + prices[p] * .4;
    const double expected = by_loops(d, c.cell, 3, range, .1 / static_cast<double>(prices.size()));
    CHECK(path.at_prices[p].bound == Approx(expected).margin(3e-6 * range));
    CHECK(path.at_prices[p].lambda == prices[p]);
    CHECK(path.bound(prices[p]) == path.at_prices[p].bound);
    least = std::min(least, expected);
    if (p == 0) continue;
    const double between = .3 * prices[p - 1] + .7 * prices[p];
    CHECK(path.bound(between) == Approx(.3 * path.at_prices[p - 1].bound + .7 * path.at_prices[p].bound));
  }
  CHECK(path.at_its_cost() == Approx(least).margin(3e-6));
  CHECK_THROWS_WITH(path.bound(8), Catch::Contains("lambda is 8"));
  CHECK_THROWS_WITH(ur::price_grid(0), Catch::Contains("largest_cost is 0"));
  const std::vector<double> falling{1, 1};
  CHECK_THROWS_WITH(ur::certify_path(c.router, sample_of(c.table), ur::against::best_single{}, level, falling, .4),
                    Catch::Contains("must rise"));
  CHECK_THROWS_WITH(ur::certify_path(c.router, sample_of(c.table), ur::against::best_single{}, level, {}, .4),
                    Catch::Contains("prices has 0"));
}

TEST_CASE("the excess of a fixed rule is convex in the price, and bounds the loss beside rules that cost no more") {
  // Populations of five prompts and three LLMs: every rule that is constant on two cells.
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    ur::random_engine draws(seed);
    double loss[2][3], cost[2][3];
    for (auto& of : loss)
      for (double& v : of) v = draws.uniform();
    for (auto& of : cost)
      for (double& v : of) v = draws.uniform();
    const std::size_t r0 = draws.below(3), r1 = draws.below(3);
    const auto excess = [&](double lambda) {
      double out = 0;
      for (std::size_t k = 0; k < 2; ++k) {
        double best = 1e9;
        for (std::size_t h = 0; h < 3; ++h) best = std::min(best, loss[k][h] + lambda * cost[k][h]);
        const std::size_t r = k == 0 ? r0 : r1;
        out += (loss[k][r] + lambda * cost[k][r] - best) / 2;
      }
      return out;
    };
    const double low = 2 * draws.uniform(), high = low + draws.uniform(), t = draws.uniform();
    CHECK(excess((1 - t) * low + t * high) <= (1 - t) * excess(low) + t * excess(high) + 1e-12);
    const double mine = (loss[0][r0] + loss[1][r1]) / 2, spent = (cost[0][r0] + cost[1][r1]) / 2;
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t b = 0; b < 3; ++b) {
        if ((cost[0][a] + cost[1][b]) / 2 <= spent) CHECK(mine - (loss[0][a] + loss[1][b]) / 2 <= excess(low) + 1e-12);
      }
    }
  }
}

TEST_CASE("weights are a part of the differences, and a shift widens the bound by what it can move") {
  const auto c = make_case(5, 60, 3, true, false);
  ur::random_engine draws(3);
  ur::certify_against_options options{.lambda = .5, .largest_cost = .4, .weights = {}, .largest_weight = 2.5};
  for (std::size_t i = 0; i < 60; ++i) options.weights.push_back(2.5 * draws.uniform());
  std::vector<std::vector<double>> d(60, std::vector<double>(3));
  for (std::size_t i = 0; i < 60; ++i) {
    const std::size_t r = 2 - c.router.choice[i];
    for (std::size_t h = 0; h < 3; ++h)
      d[i][h] = options.weights[i] * (c.table.losses()(i, r) - c.table.losses()(i, 2 - h) +
                                      .5 * (c.table.costs()(i, r) - c.table.costs()(i, 2 - h)));
  }
  const ur::confidence_level level{.9};
  const auto out =
      ur::certify_against(c.router, sample_of(c.table), ur::against::cells{second_entry{}}, level, options);
  CHECK(out.bound == Approx(by_loops(d, c.cell, 3, 1.2 * 2.5, .1)).margin(3e-6));
  CHECK(out.trivial == Approx(1.2));
  CHECK(out.under_shift(0) == out.bound);
  CHECK(out.under_shift(.1) == Approx(std::min(1.2, out.bound + .24)));
  CHECK(out.under_shift(1) == Approx(1.2));
  CHECK_THROWS_WITH(out.under_shift(1.5), Catch::Contains("tau is 1.5"));
  const auto with = [&](ur::certify_against_options of) {
    return ur::certify_against(c.router, sample_of(c.table), ur::against::best_single{}, level, of);
  };
  CHECK_THROWS_WITH(with({.largest_weight = .5}), Catch::Contains("largest_weight is 0.5"));
  CHECK_THROWS_WITH(with({.weights = {1, 1}}), Catch::Contains("weights has 2 entries"));
  CHECK_THROWS_WITH(with({.weights = std::vector<double>(60, 2.0)}), Catch::Contains("the weight of prompt 0 is 2"));
}

TEST_CASE("a shift moves no mean by more than is said, and some by all of it") {
  // All laws on four prompts against all laws: total variation is half the sum of absolute differences.
  double closest = 1;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    ur::random_engine draws(seed);
    double from[4], to[4], d[4], sum_from = 0, sum_to = 0, distance = 0, before = 0, after = 0;
    for (int i = 0; i < 4; ++i) {
      sum_from += from[i] = draws.uniform();
      sum_to += to[i] = draws.uniform();
      d[i] = seed % 2 == 0 ? 2 * draws.uniform() - 1 : (draws.uniform() < .5 ? -1 : 1);
    }
    for (int i = 0; i < 4; ++i) {
      distance += std::fabs(from[i] / sum_from - to[i] / sum_to) / 2;
      before += from[i] / sum_from * d[i];
      after += to[i] / sum_to * d[i];
    }
    CHECK(after <= before + 2 * distance + 1e-12);
    closest = std::min(closest, before + 2 * distance - after);
  }
  CHECK(closest < 1e-9);
}
