// Multiple comparisons with the best, cell by cell: against loops, and how often they hold all at once.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

auto make_router(std::size_t cells, std::uint64_t seed, double lambda) {
  return ur::router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = cells, .seed = seed}}, ur::nearest_map{},
                    ur::cell_mean{}, ur::lagrangian_rule{{.lambda = lambda}}};
}

}  // namespace

TEST_CASE("gaps are the largest one-sided bounds of paired differences, and sum over the shares") {
  for (const double lambda : {0.0, 3.0}) {
    const auto sample = ur::simulated_world{{.dimension = 8}}.sample(900, 3);
    const auto split = ur::split(sample.table, {.seed = 5});
    auto router = make_router(4, 1, lambda);
    router.fit(split.train);
    router.enroll(split.validation, split.unseen);
    double largest = 0;
    for (const double c : sample.table.costs()) largest = std::max(largest, c);
    const auto& table = split.validation;
    const ur::confidence_level level{.9};
    const auto out = ur::certify_paired(router, table, level, {.largest_cost = largest});
    const auto choices = router.route(table.embeddings());
    const auto labels = router.predictor_policy().map().labels(table.embeddings());
    const std::size_t m = router.size();
    const double range = 1 + lambda * largest, each = .1 * .9 / (4 * static_cast<double>(m - 1));
    std::vector<double> counts(4, 0.0);
    for (std::size_t k = 0; k < 4; ++k) {
      double most = 0;
      std::size_t rival = m;
      for (std::size_t h = 0; h < m; ++h) {
        std::vector<double> unit;
        bool mine = true;
        for (std::size_t i = 0; i < table.size(); ++i) {
          if (labels[i] != k) continue;
          const std::size_t a = table.model_index(router.models()[choices[i]]),
                            b = table.model_index(router.models()[h]);
          mine = mine && a == b;
          const double d =
              table.losses()(i, a) - table.losses()(i, b) + lambda * (table.costs()(i, a) - table.costs()(i, b));
          unit.push_back((d / range + 1) / 2);
        }
        counts[k] = static_cast<double>(unit.size());
        if (mine) continue;
        const double bound = range * (2 * ur::betting::upper(unit, each) - 1);
        if (bound > most) {
          most = bound;
          rival = h;
        }
      }
      CHECK(out.gaps[k] == Approx(most).margin(1e-9));
      CHECK(out.rivals[k] == (rival == m ? out.choices[k] : rival));
      CHECK(out.sizes[k] == static_cast<std::size_t>(counts[k]));
    }
    const auto shares = ur::estimated_shares(counts, .1 * .1);
    CHECK(out.bound == Approx(ur::detail::largest_mean(shares, out.gaps)));
    CHECK(out.shares_from == ur::share_source::sample);
    CHECK(out.lambda == lambda);

    // Shares from more prompts, or known: what is spent and how wide they are.
    std::vector<double> more;
    for (const double c : counts) more.push_back(20 * c);
    const auto counted = ur::certify_paired(router, table, level, {.largest_cost = largest, .cell_counts = more});
    CHECK(counted.gaps == out.gaps);
    CHECK(counted.bound < out.bound);
    CHECK(counted.shares_from == ur::share_source::unlabelled);
    const auto known =
        ur::certify_paired(router, table, level, {.largest_cost = largest, .cell_shares = {.25, .25, .25, .25}});
    CHECK(known.shares_from == ur::share_source::known);
    double sum = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      CHECK(known.gaps[k] <= out.gaps[k]);  // all of δ is theirs
      sum += known.gaps[k] / 4;
    }
    CHECK(known.bound == Approx(sum));
    // Tighter than intervals for every cell and LLM.
    CHECK(out.bound < ur::certify<ur::betting>(router, table, level, {.largest_cost = largest}).gap_adaptive);
    CHECK_THROWS_WITH(ur::certify_paired(router, table, level, {.largest_cost = largest, .cell_shares = {.5, .5}}),
                      Catch::Contains("shares has 2 entries"));
    CHECK_THROWS_WITH(ur::certify_paired(router, table, level, {.largest_cost = largest, .share_part = 1}),
                      Catch::Contains("share_part is 1"));
    CHECK_THROWS_WITH(ur::certify_paired(router, split.train, level, {.largest_cost = largest}),
                      Catch::Contains("was seen by fit"));
    if (lambda > 0)
      CHECK_THROWS_WITH(ur::certify_paired(router, table, level), Catch::Contains("largest_cost is not declared"));
  }
}

TEST_CASE("all gaps of a world hold at once, on the rows that made the choices") {
  const ur::simulated_world world{{.dimension = 8, .heterogeneity = 0}};
  std::size_t held = 0, worlds = 60, informative = 0;
  for (std::uint64_t seed = 1; seed <= worlds; ++seed) {
    const auto sample = world.sample(700, seed);
    const auto split = ur::split(sample.table, {.train = .3, .validation = .6, .seen_models = .7, .seed = seed});
    auto router = make_router(4, seed, 0);
    router.fit(split.train);
    router.enroll(split.validation, std::vector<std::string>(split.unseen.begin(), split.unseen.begin() + 4));
    const auto out = ur::certify_paired(router, split.validation, ur::confidence_level{.8});
    const auto fresh = world.sample(3000, seed + 1000);
    const auto labels = router.predictor_policy().map().labels(fresh.table.embeddings());
    std::vector<std::vector<double>> sums(4, std::vector<double>(4, 0.0));
    std::vector<double> count(4, 0.0);
    for (std::size_t i = 0; i < fresh.table.size(); ++i) {
      count[labels[i]] += 1;
      for (std::size_t h = 0; h < 4; ++h)
        sums[labels[i]][h] += fresh.expected_losses(i, fresh.table.model_index(router.models()[h]));
    }
    bool all = true;
    for (std::size_t k = 0; k < 4; ++k) {
      if (count[k] < 100) continue;
      const double gap = (sums[k][out.choices[k]] - *std::min_element(sums[k].begin(), sums[k].end())) / count[k];
      all = all && gap <= out.gaps[k] + .03;  // the standard error of the truth
      informative += out.gaps[k] < .5 ? 1u : 0u;
    }
    held += all ? 1u : 0u;
  }
  CHECK(static_cast<double>(held) / static_cast<double>(worlds) >= .65);
  CHECK(informative > worlds);
}
