// A sample is spent by use, and labels that a design chose are no random sample.

#include <catch2/catch.hpp>
#include <numeric>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const ur::simulated_world world{{.dimension = 8}};

auto enrolled(double lambda = 0) {
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 4}}, ur::nearest_map{}, ur::shrunken_mean{},
                    ur::lagrangian_rule{{.lambda = lambda}}};
  router.fit(world.sample(100, 1).table);
  const auto validation = world.sample(100, 2).table;
  router.enroll(validation, std::vector<std::string>{validation.models()[0].name, validation.models()[9].name});
  return router;
}

}  // namespace

TEST_CASE("a held-out sample is handed over, split beforehand, or reused in writing") {
  STATIC_REQUIRE(!std::is_copy_constructible_v<ur::held_out<ur::bounded_loss>>);
  STATIC_REQUIRE(std::is_move_constructible_v<ur::held_out<ur::bounded_loss>>);
  const auto router = enrolled();
  const ur::confidence_level level{.9};
  ur::held_out sample{world.sample(150, 3).table};
  CHECK(sample.share() == 1);
  const auto again = sample.reused();
  const auto whole = ur::certify_held_out(router, std::move(sample), level);
  CHECK_THROWS_WITH(sample.table(),
                    "held_out::table: the sample was handed over, but a sample is spent by use");  // NOLINT
  CHECK_THROWS_AS(ur::certify_held_out(router, std::move(sample), level), std::logic_error);
  CHECK(again.table().size() == 150);

  auto parts = ur::held_out{world.sample(150, 3).table}.shares(2);
  CHECK(parts.size() == 2);
  CHECK(parts[0].share() == .5);
  // Half of δ, for each: as one promise at 1 − δ / 2.
  const auto half = ur::certify_held_out(router, std::move(parts[0]), level);
  const auto by_hand = ur::certify_held_out(router, again.reused(), ur::confidence_level{.95});
  CHECK(half.risk.lower == Approx(by_hand.risk.lower).epsilon(1e-12));
  CHECK(half.risk.width() > whole.risk.width());
  CHECK(half.level == .9);
  auto quarters = std::move(parts[1]).shares(2);
  CHECK(quarters[1].share() == .25);
  CHECK(ur::certify_hindsight(router, std::move(quarters[0]), level).regret.upper ==
        Approx(ur::certify_hindsight(router, again.reused(), ur::confidence_level{.975}).regret.upper).epsilon(1e-12));
  CHECK_THROWS_AS(again.reused().shares(0), std::invalid_argument);
}

TEST_CASE("guards on a share of a sample test at that share of delta") {
  const auto router = enrolled();
  const auto table = world.sample(150, 3).table;
  const ur::confidence_level level{.8}, at_an_eighth{1 - .2 / 8};
  const auto share = [&] { return std::move(ur::held_out{table}.shares(8)[5]); };
  const auto same = [](const ur::guard_report& a, const ur::guard_report& b) {
    return a.lambda == b.lambda && a.abstains == b.abstains && a.steps.size() == b.steps.size();
  };
  double largest = 0;
  for (const double cost : table.costs()) largest = std::max(largest, cost);
  const auto pool = router.models();
  double cheapest = 0, dearest = 0;
  for (std::size_t h = 0; h < 2; ++h) {
    const double mean = ur::column_means(table.costs())(0, table.model_index(pool[h]));
    (h == 0 ? cheapest : dearest) = mean;
  }
  if (cheapest > dearest) std::swap(cheapest, dearest);
  // Wherever the smaller δ tells the two apart the share must go with it.
  std::size_t told = 0;
  for (int step = 1; step < 40; ++step) {
    const ur::cost_promise cost{.budget = cheapest + (largest - cheapest) * step / 40, .largest_cost = largest};
    const auto whole = ur::guard_cost(router, ur::held_out{table}, cost, level).report;
    const auto strict = ur::guard_cost(router, ur::held_out{table}, cost, at_an_eighth).report;
    CHECK(same(ur::guard_cost(router, share(), cost, level).report, strict));
    told += same(whole, strict) ? 0u : 1u;
  }
  CHECK(told > 0);
  told = 0;
  for (int step = 1; step < 40; ++step) {
    const ur::quality_promise quality{.epsilon = .01 * step, .safe_model = pool[0]};
    const auto whole = ur::guard_quality(router, ur::held_out{table}, quality, level).report;
    const auto strict = ur::guard_quality(router, ur::held_out{table}, quality, at_an_eighth).report;
    CHECK(same(ur::guard_quality(router, share(), quality, level).report, strict));
    told += same(whole, strict) ? 0u : 1u;
  }
  CHECK(told > 0);
}

TEST_CASE("choosing among a hundred rules on a sample, and then promising on it: split or bounded at once, it holds") {
  // 100 rules of mean loss .5 each; the luckiest is chosen. Promised: its mean loss is at most the bound.
  std::size_t naive = 0, at_once = 0;
  const std::size_t trials = 200;
  for (std::size_t t = 0; t < trials; ++t) {
    ur::random_engine draws(ur::derive_seed(5, t));
    auto losses = ur::make_matrix<double>(200, 100);
    for (double& loss : losses) loss = draws.uniform() < .5 ? 1 : 0;
    const auto chosen = ur::cells_by_certificate(losses, 1, .05);
    at_once += chosen.bounds[chosen.index].upper < .5 ? 1u : 0u;
    naive += ur::upper_bound_of<ur::betting>(ur::column(losses, chosen.index), 0, 1, .05) < .5 ? 1u : 0u;
  }
  CHECK(at_once <= 19);  // 10 allowed, three standard deviations are 9
  CHECK(naive > 60);     // what copying the sample invited
}

TEST_CASE("labels bought until the certificate is small: intervals for any count hold, others do not") {
  // One cell, known; LLMs 0 and 1 are equally good, and the loop looks after every label until one seems better by
  // .001.
  const std::vector<double> free{0, 0}, share{1};
  std::size_t plain = 0, always = 0;
  const std::size_t runs = 150;
  for (std::size_t t = 0; t < runs; ++t) {
    bool wrong_plain = false, wrong_always = false;
    ur::random_engine draws(ur::derive_seed(6, t));
    ur::cell_sample s{
        {0}, ur::make_matrix<double>(1, 2, 0.0), ur::make_matrix<double>(1, 2, 0.0), ur::make_matrix<double>(0, 0)};
    for (std::size_t n = 1; n <= 400; ++n) {
      s.prompts[0] += 1;
      for (std::size_t h = 0; h < 2; ++h) {
        s.counts(0, h) += 1;
        s.sums(0, h) += draws.uniform() < (h == 0 ? .5 : .52) ? 1 : 0;
      }
      if (n < 10) continue;
      const auto choices = ur::choose_in_cells(ur::cell_means(s), free, 0);
      const double regret = choices[0] == 1 ? .02 : 0;
      const auto wrong = [&](const ur::certificate& c) { return c.gap_adaptive < regret; };
      wrong_plain |= wrong(ur::certify_counts<ur::exact_binomial>(s, choices, free, 0, .1, share));
      wrong_always |= wrong(ur::certify_counts<ur::any_time<ur::exact_binomial>>(s, choices, free, 0, .1, share));
    }
    plain += wrong_plain ? 1u : 0u;
    always += wrong_always ? 1u : 0u;
  }
  CAPTURE(plain, always);
  CHECK(always <= 26);  // 15 allowed, three standard deviations are 11
  CHECK(plain > always);
}

TEST_CASE("intervals for any count cover the path of a growing sample as often as they promise") {
  std::size_t plain = 0, always = 0;
  const std::size_t runs = 300;
  for (std::size_t t = 0; t < runs; ++t) {
    ur::random_engine draws(ur::derive_seed(7, t));
    double sum = 0;
    bool out = false, out_always = false;
    for (std::size_t n = 1; n <= 1000; ++n) {
      sum += draws.uniform() < .3 ? 1 : 0;
      const auto a = ur::exact_binomial::make(sum, n, .1);
      const auto b = ur::any_time<ur::exact_binomial>::make(sum, n, .1);
      out |= .3 < a.lower || a.upper < .3;
      out_always |= .3 < b.lower || b.upper < .3;
    }
    plain += out ? 1u : 0u;
    always += out_always ? 1u : 0u;
  }
  CAPTURE(plain, always);
  CHECK(plain > 60);    // 30 would be allowed
  CHECK(always <= 45);  // three standard deviations above
  CHECK(ur::any_time<ur::hoeffding>::make(0, 0, .1).width() == 1);
  CHECK(ur::any_time<ur::betting>::make(std::vector<double>{0, 1}, .3).width() ==
        ur::betting::make(std::vector<double>{0, 1}, .05).width());
}

TEST_CASE("labels chosen by a design are no random sample: certify refuses them, weights cover") {
  // Two kinds of prompts in one cell, easy (error rate .1) and hard (.9): Ψ* = .5. The design asks hard ones 4 times as
  // often, each by its own coin.
  std::size_t weighted = 0, plain = 0;
  const std::size_t n = 400, trials = 150;
  ur::routing_table_parts parts;
  parts.models.emplace_back();
  parts.models[0].name = "m";
  parts.losses = ur::make_matrix<double>(n, 1);
  parts.costs = ur::make_matrix<double>(n, 1, 1.0);
  parts.embeddings = ur::make_matrix<float>(n, 1);
  for (std::size_t i = 0; i < n; ++i) parts.ids.push_back("p" + std::to_string(i));
  ur::router fitted{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 1}}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{}};
  fitted.fit(ur::make_matrix<float>(20, 1, 1.0F));
  const ur::confidence_level level{.9};
  for (std::size_t t = 0; t < trials; ++t) {
    ur::random_engine draws(ur::derive_seed(8, t));
    ur::label_sample chosen;
    auto probabilities = ur::make_matrix<double>(n, 1);
    auto asked = parts;
    std::vector<double> labels;
    for (std::size_t i = 0; i < n; ++i) {
      const bool hard = draws.uniform() < .5;
      probabilities(i, 0) = hard ? .8 : .2;
      chosen.inclusion.push_back(probabilities(i, 0));
      parts.embeddings(i, 0) = asked.embeddings(i, 0) = hard ? 1.F : 0.F;
      const double loss = draws.uniform() < (hard ? .9 : .1) ? 1 : 0;
      const bool ask = draws.uniform() < probabilities(i, 0);
      asked.losses(i, 0) = ask ? loss : ur::missing;
      if (!ask) continue;
      chosen.prompts.push_back(i);
      chosen.weights.push_back(1 / probabilities(i, 0));
      labels.push_back(loss);
    }
    const ur::routing_table candidates(asked);
    auto router = fitted;
    router.set_validation(candidates, chosen);
    router.enroll("m", labels, chosen.weights, 1.0);
    const std::vector<std::size_t> only{0};
    const auto just_asked = candidates.select(chosen.prompts, only);
    const auto covers = [](const ur::certificate& c) { return c.lower(0, 0) <= .5 && .5 <= c.upper(0, 0); };
    weighted +=
        covers(ur::certify_with(ur::inverse_probability<>{probabilities, .2}, router, candidates, level)) ? 1u : 0u;
    auto by_hand = fitted;  // prompts picked by hand, without a word
    by_hand.set_validation(just_asked);
    by_hand.enroll("m", labels, 1.0);
    plain += covers(ur::certify<ur::betting>(by_hand, just_asked, level)) ? 1u : 0u;
    if (t != 0) continue;
    CHECK_FALSE(router.labels_are_random());
    CHECK(by_hand.labels_are_random());
    CHECK_THROWS_WITH(ur::certify<ur::betting>(router, just_asked, level),
                      Catch::Contains("were chosen by a label design, but must be a random sample") &&
                          Catch::Contains("certify_with(inverse_probability{inclusion, least}, ...)"));
    // So does a router that was saved; enrolling by weights alone says as much; equal weights are a random sample.
    auto again = fitted;
    again.load(router.save());
    CHECK_FALSE(again.labels_are_random());
    by_hand.enroll("weighted", labels, chosen.weights, 1.0);
    CHECK_FALSE(by_hand.labels_are_random());
    auto equal = fitted;
    equal.set_validation(just_asked);
    equal.enroll("m", labels, std::vector<double>(labels.size(), 2.0), 1.0);
    CHECK(equal.labels_are_random());
    chosen.inclusion.pop_back();
    CHECK_THROWS_AS(router.set_validation(candidates, chosen), std::invalid_argument);
    // Other prompts than the labelled ones may be certified on.
    auto others = asked;
    for (auto& id : others.ids) id += "-new";
    CHECK_NOTHROW(ur::certify<ur::betting>(router, ur::routing_table(others), level));
  }
  CHECK(weighted >= 124);  // 135 promised, three standard deviations are 11
  CHECK(plain < 20);
}

TEST_CASE("a promise names its pool: whoever leaves, joins, changes its price or its outcomes ends it") {
  auto router = enrolled();
  const auto validation = world.sample(100, 2).table;
  const std::string a = validation.models()[0].name, b = validation.models()[9].name, c = validation.models()[12].name;
  auto guarded = ur::guard_quality(router, ur::held_out{world.sample(200, 4).table},
                                   {.epsilon = 0, .safe_model = a, .against_every_single = false, .lambdas = {1e6}},
                                   ur::confidence_level{.9});
  const auto x = world.sample(20, 5).table.embeddings();
  REQUIRE(guarded.report.abstains);
  REQUIRE(guarded.router.route(ur::row(x, 0)).model == a);
  // The safe one is retired and another joins: the size is the same, and the promise is not.
  auto swapped = guarded.router;
  swapped.retire(a);
  swapped.enroll(validation, std::vector<std::string>{c});
  CHECK_THROWS_WITH(swapped.route(x), "guarded_rule: the promise was tested with another pool: model '" + a +
                                          "', the safe one, has left it: guard again");
  auto repriced = guarded.router;
  repriced.reprice(b, 1);
  CHECK_THROWS_WITH(repriced.route(ur::row(x, 0)), Catch::Contains("model '" + b + "' has another cost: guard again"));
  auto joined = guarded.router;
  joined.enroll(validation, std::vector<std::string>{c});
  CHECK_THROWS_WITH(joined.route(x), Catch::Contains("model '" + c + "' has joined it: guard again"));
  auto relabelled = guarded.router;
  relabelled.retire(b);
  std::vector<double> losses(100, 0.0), costs = ur::column(validation.costs(), validation.model_index(b));
  relabelled.enroll(b, losses, costs);
  CHECK_THROWS_WITH(relabelled.route(x), Catch::Contains("'" + b + "' was enrolled with other outcomes: guard again"));
  // Back as it was, in another order: the promise stands again. So it does for a router that was saved.
  auto back = guarded.router;
  back.retire(a);
  back.enroll(validation, std::vector<std::string>{a});
  CHECK(back.route(ur::row(x, 0)).model == a);
  auto loaded = router.with_rule(ur::guarded_rule{});
  loaded.load(guarded.router.save());
  CHECK(loaded.route(x) == guarded.router.route(x));
  loaded.reprice(a, 2);
  CHECK_THROWS_AS(loaded.route(x), ur::not_fitted);
}
