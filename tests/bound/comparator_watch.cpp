// Comparisons that are looked at again and again: by loops, and how often a loop that looks until satisfied is wrong.

#include <catch2/catch.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

/// Two LLMs whose difference of losses has the given mean; a router that always asks the first.
struct always_first {
  std::vector<std::string> names{"a", "b"};
  ur::precomputed_embeddings source;
  const std::vector<std::string>& models() const { return names; }
  const ur::precomputed_embeddings& reader() const { return source; }
  std::vector<std::uint32_t> route(const ur::embedding_matrix& x) const {
    return std::vector<std::uint32_t>(ur::rows(x), 0);
  }
};

ur::routing_table draw(std::uint64_t seed, std::size_t from, std::size_t n, double regret) {
  ur::random_engine draws(seed);
  ur::routing_table_parts parts;
  parts.name = "two";
  parts.models = {{.name = "a"}, {.name = "b"}};
  parts.losses = ur::make_matrix<double>(n, 2);
  parts.costs = ur::make_matrix<double>(n, 2, 0.0);
  parts.embeddings = ur::make_matrix<float>(n, 1, 1.F);
  for (std::size_t i = 0; i < n; ++i) {
    parts.ids.push_back(std::to_string(from + i));
    parts.losses(i, 0) = draws.uniform() < .5 ? 1 : 0;
    parts.losses(i, 1) = draws.uniform() < .5 - regret ? 1 : 0;
  }
  return ur::routing_table(std::move(parts));
}

}  // namespace

TEST_CASE("a watch bets on batches as by loops") {
  const double delta = .1;
  const ur::confidence_level level{1 - delta};
  always_first router;
  router.source.fit(draw(1, 0, 5, .1).embeddings());
  ur::comparator_watch watch(router, ur::against::best_single{}, level);
  CHECK_THROWS_WITH(watch.certificate(), Catch::Contains("there are 0 prompts"));
  std::vector<double> d_a, d_b;
  for (std::size_t batch = 0; batch < 3; ++batch) {
    const std::size_t n = 30 + 10 * batch;
    const auto table = draw(batch + 7, 100 * batch, n, .2);
    watch.add(ur::held_out{table});
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = i;
    ur::random_engine draws(ur::derive_seed(20502773, n));
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[draws.below(i)]);
    for (const std::size_t i : order) {
      d_a.push_back(0);
      d_b.push_back(table.losses()(i, 0) - table.losses()(i, 1));
    }
    CHECK(watch.prompts() == d_b.size());
    // Bets from the rows before; the capital at every look, of which there are many.
    std::vector<double> bets;
    double error = 1, sum = 0, sum_b = 0;
    for (std::size_t t = 0; t < d_b.size(); ++t) {
      const double seen = static_cast<double>(t + 1);
      bets.push_back(std::sqrt(2 * std::log(1 / delta) / (seen * std::log(1 + seen) * error / seen)));
      const double value = sum_b > 0 ? d_b[t] : d_a[t];
      error += (value - sum / seen) * (value - sum / seen);
      sum += value;
      sum_b += d_b[t];
    }
    const auto reaches = [&](double m) {
      double log_a = 0, log_b = 0;
      std::size_t look = 1;
      for (std::size_t t = 0; t < d_b.size(); ++t) {
        const double bet = std::min(bets[t], .75 / (1 - m));
        log_a += std::log(1 + bet * m);
        log_b += std::log(1 + bet * (m - d_b[t]));
        if (t + 1 != look && t + 1 != d_b.size()) continue;
        if (t + 1 == look) look += 1 + look / 8;
        if (std::min(log_a, log_b) >= std::log(1 / delta)) return true;
      }
      return false;
    };
    double low = -1, high = 1;
    for (int step = 0; step < 40; ++step) (reaches((low + high) / 2) ? high : low) = (low + high) / 2;
    const auto now = watch.certificate();
    CHECK(now.bound == Approx(high).margin(3e-6));
    CHECK(now.prompts == d_b.size());
    CHECK(now.level == Approx(.9));
  }
  // Nothing changes where a batch is refused: a prompt that came before, a share of delta, no prompts.
  const double before = watch.certificate().bound;
  CHECK_THROWS_WITH(watch.add(ur::held_out{draw(3, 120, 4, .2)}),
                    Catch::Contains("was seen by this watch") || Catch::Contains("share"));
  auto halves = ur::held_out{draw(3, 900, 4, .2)}.shares(2);
  CHECK_THROWS_WITH(watch.add(std::move(halves[0])), Catch::Contains("share of delta of 0.5"));
  CHECK(watch.prompts() == 120);
  CHECK(watch.certificate().bound == before);
  CHECK_THROWS_WITH(ur::comparator_watch(router, ur::against::best_single{}, level, {.weights = {1.0}}),
                    Catch::Contains("weights has 1"));
}

TEST_CASE("looking until satisfied is wrong in at most delta of runs, and a fixed certificate looked at is not") {
  // The true regret is .1; the user stops when the bound is below .1 (a wrong promise), or after 12 batches of 50.
  const double delta = .2, regret = .1;
  const ur::confidence_level level{1 - delta};
  std::size_t wrong = 0, wrong_fixed = 0;
  const std::size_t runs = 150;
  always_first router;
  router.source.fit(draw(1, 0, 5, .1).embeddings());
  for (std::size_t run = 0; run < runs; ++run) {
    const auto all = draw(1000 + run, 0, 600, regret);
    ur::comparator_watch watch(router, ur::against::best_single{}, level);
    bool stopped = false, stopped_fixed = false;
    std::vector<std::size_t> so_far;
    for (std::size_t batch = 0; batch < 12; ++batch) {
      std::vector<std::size_t> rows;
      for (std::size_t i = 50 * batch; i < 50 * batch + 50; ++i) rows.push_back(i);
      so_far.insert(so_far.end(), rows.begin(), rows.end());
      watch.add(ur::held_out{all.select(rows, std::vector<std::size_t>{0, 1})});
      stopped = stopped || watch.certificate().bound < regret;
      stopped_fixed =
          stopped_fixed || ur::certify_against(router, ur::held_out{all.select(so_far, std::vector<std::size_t>{0, 1})},
                                               ur::against::best_single{}, level)
                                   .bound < regret;
    }
    wrong += stopped ? 1u : 0u;
    wrong_fixed += stopped_fixed ? 1u : 0u;
  }
  // Three standard errors of 150 runs are .1. Power: the certificate for one look is wrong more often than δ here.
  CHECK(static_cast<double>(wrong) / runs <= delta + .1);
  CHECK(wrong_fixed > wrong);
}

TEST_CASE("promises for a growing pool share delta") {
  const ur::confidence_level level{.9};
  double spent = 0;
  for (std::size_t j = 1; j <= 5000; ++j) spent += level.at_join(j).delta();
  CHECK(level.at_join(1).delta() == Approx(.05));
  CHECK(spent < .1);
  CHECK(spent > .0999);
  CHECK_THROWS_WITH(level.at_join(0), Catch::Contains("number is 0"));
}
