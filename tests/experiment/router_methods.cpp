// Whole routers, encoders of one's own, roles and metrics in an experiment.

#include <atomic>
#include <catch2/catch.hpp>
#include <set>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const ur::routing_table& table() {
  static const ur::routing_table out = ur::simulated_world{{.dimension = 8}}.sample(300, 3).table;
  return out;
}

ur::protocol_result run(const std::vector<ur::routing_method>& methods, ur::protocol_options options = {}) {
  options.trials = 3;
  options.validation_prompts = 60;
  return ur::run_protocol(
      table(), [](auto) { return table().embeddings(); }, methods, options);
}

auto soft(const ur::trial_data& t) {
  return ur::cell_predictor{ur::kmeans{{.clusters = 5, .seed = t.seed}}, ur::proximity_map{}, ur::shrunken_mean{}};
}

template <class Rule>
ur::routing_method routed(std::string name, Rule rule) {
  return ur::router_method(std::move(name), [rule](const ur::trial_data& t) {
    return ur::router{ur::precomputed_embeddings{}, soft(t), rule};
  });
}

/// Texts as their length and their number of "e": it counts what it is asked for.
struct counting_encoder {
  static constexpr bool learns = false;
  std::shared_ptr<std::atomic<std::size_t>> asked = std::make_shared<std::atomic<std::size_t>>(0);

  void fit(std::span<const std::string>) {}
  std::size_t dimension() const { return 2; }
  void encode(std::string_view prompt, std::span<float> out) const {
    out[0] = static_cast<float>(prompt.size()) / 100;
    out[1] = static_cast<float>(std::count(prompt.begin(), prompt.end(), 'e')) / 10;
  }
  ur::embedding_matrix encode(std::span<const std::string> prompts) const {
    *asked += prompts.size();
    auto out = ur::make_matrix<float>(prompts.size(), 2);
    for (std::size_t i = 0; i < prompts.size(); ++i) encode(prompts[i], ur::row(out, i));
    return out;
  }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};

/// Checks what it is given.
struct spy_estimator {
  static constexpr bool asks_for_outcomes = true;
  void fit(std::span<const ur::cell_statistics>) {}
  ur::profile estimate(const ur::cell_statistics& s) const {
    REQUIRE(s.outcomes.size() == s.size());
    std::size_t count = 0;
    for (std::size_t k = 0; k < s.size(); ++k) {
      double weight = 0, sum = 0;
      for (const auto& o : s.outcomes[k]) {
        weight += o.weight;
        sum += o.weight * o.loss;
      }
      count += s.outcomes[k].size();
      CHECK(weight == Approx(s.weight[k]));
      CHECK(sum == Approx(s.sum[k]).margin(1e-12));
    }
    CHECK(count >= s.observed);
    return ur::cell_mean{}.estimate(s);
  }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
struct plain_estimator : ur::cell_mean {
  plain_estimator() : ur::cell_mean() {}

  ur::profile estimate(const ur::cell_statistics& s) const {
    CHECK(s.outcomes.empty());
    return ur::cell_mean::estimate(s);
  }
};

}  // namespace

TEST_CASE("a Lagrangian router in the protocol is its predictor, score by score") {
  const auto result = run({ur::predictor_method("predictor", soft), routed("router", ur::lagrangian_rule{})});
  for (std::size_t t = 0; t < 3; ++t) {
    const auto &a = result.method("predictor").trials[t], &b = result.method("router").trials[t];
    for (const char* name : {"area", "narea", "aiq", "peak"}) CHECK(*a.of(name) == Approx(*b.of(name)));
    CHECK(a.collapse == b.collapse);
    CHECK(a.prediction->brier == Approx(b.prediction->brier));
  }
}

TEST_CASE(
    "other rules enter by their decisions: budgets near the Lagrangian curve, one point for a rule without more") {
  const auto result = run({routed("lagrangian", ur::lagrangian_rule{}), routed("budget", ur::budget_rule{}),
                           routed("best", ur::best_quality_rule{})});
  for (std::size_t t = 0; t < 3; ++t) {
    CHECK(*result.method("budget").trials[t].of("narea") ==
          Approx(*result.method("lagrangian").trials[t].of("narea")).margin(.03));
    // The best quality is where the Lagrangian curve begins.
    CHECK(*result.method("best").trials[t].of("peak") <= *result.method("lagrangian").trials[t].of("peak") + 1e-9);
    CHECK(result.method("best").trials[t].collapse == result.method("lagrangian").trials[t].collapse);
  }
}

TEST_CASE("a router reads texts with its own encoder, and says so where there are none") {
  const auto lsa = ur::router_method("hashed", [](const ur::trial_data& t) {
    return ur::router{ur::hashed_tfidf{{.dimension = 32}}, soft(t), ur::lagrangian_rule{}};
  });
  const auto same = ur::encoded_by("encoded", ur::hashed_tfidf{{.dimension = 32}}, ur::predictor_method("soft", soft));
  const auto result = run({lsa, same, ur::predictor_method("soft", soft)});
  for (std::size_t t = 0; t < 3; ++t) {
    CHECK(*result.method("hashed").trials[t].of("narea") == Approx(*result.method("encoded").trials[t].of("narea")));
    CHECK(*result.method("hashed").trials[t].of("narea") != *result.method("soft").trials[t].of("narea"));
  }
  auto parts = table().parts();
  parts.prompts.clear();
  const ur::routing_table blind(parts);
  for (const auto& method : {lsa, same})
    CHECK_THROWS_WITH(ur::run_protocol(blind, [&](auto) { return blind.embeddings(); }, {method},
                                       {.trials = 1, .validation_prompts = 60}),
                      Catch::Contains("have none") && Catch::Contains("in trial 0"));
}

TEST_CASE("an encoder that learns nothing embeds each text once, also in rehearsals") {
  const counting_encoder encoder;
  std::set<std::string> texts(table().prompts().begin(), table().prompts().end());
  const auto knn = [](std::size_t k) {
    return ur::predictor_method("knn/k = " + std::to_string(k),
                                [k](const ur::trial_data&) { return ur::knn{{.neighbours = k}}; });
  };
  run({ur::encoded_by("mine", encoder, ur::selected_on_seen("knn", {knn(5), knn(20)}))});
  CHECK(*encoder.asked <= texts.size());
  CHECK(*encoder.asked > texts.size() / 2);
}

TEST_CASE("methods see ids, texts and categories of the prompts whose embeddings they see") {
  const auto check = [](const ur::embedding_matrix& x, const ur::prompt_records& of) {
    REQUIRE(of.ids.size() == ur::rows(x));
    for (std::size_t i = 0; i < of.ids.size(); ++i) {
      const auto at = static_cast<std::size_t>(std::find(table().ids().begin(), table().ids().end(), of.ids[i]) -
                                               table().ids().begin());
      REQUIRE(at < table().size());
      CHECK(of.texts[i] == table().prompts()[at]);
      CHECK(of.categories[i] == table().categories()[at]);
      CHECK(x(i, 0) == table().embeddings()(at, 0));
    }
  };
  run({{"spy",
        [&](const ur::trial_data& t) {
          check(t.train_x, t.train);
          check(t.validation_x, t.validation);
          check(t.test_x, t.test);
          for (const auto& r : ur::rehearsals_of(t)) {
            check(r.trial.train_x, r.trial.train);
            check(r.trial.validation_x, r.trial.validation);
            check(r.trial.test_x, r.trial.test);
          }
          return ur::zero_router().predict(t);
        }}},
      {.threads = 1});
}

TEST_CASE("a method that throws names itself and the trial, and keeps the type of the error") {
  const ur::routing_method bad{"fragile", [](const ur::trial_data& t) -> ur::prediction {
                                 throw std::domain_error("no luck with " + t.unseen.at(0));
                               }};
  CHECK_THROWS_AS(run({ur::zero_router(), bad}), std::domain_error);
  CHECK_THROWS_WITH(run({bad}, {.first_trial = 4, .threads = 1}),
                    Catch::Contains("method 'fragile' in trial 4: no luck with"));
  const ur::routing_method odd{
      "odd", [](const ur::trial_data& t) {
        return ur::prediction{ur::make_matrix<double>(3, t.unseen.size()), ur::column_means(t.validation_costs)};
      }};
  CHECK_THROWS_AS(run({odd}), std::invalid_argument);
  CHECK_THROWS_WITH(run({odd}), Catch::Contains("method 'odd'") && Catch::Contains("predicted is 3 x"));
}

TEST_CASE("roles and lines of the glossary come through, and a metric of one's own is a row like the others") {
  ur::protocol_options options;
  options.metrics = {
      {"cheap_quality", "quality at the least cost",
       [](const ur::curve_view& v) { return ur::metric(v.function()(v.pool().cheapest_cost)); }},
      {"never", "never", [](const ur::curve_view&) { return ur::metric(); }, ur::metric_summary::when_reached}};
  const auto result = run({ur::zero_router(), ur::predictor_method("soft", soft)}, options);
  CHECK(result.method("zero_router").role == ur::method_role::reference);
  CHECK(result.method("soft").role == ur::method_role::router);
  CHECK(result.method("random").role == ur::method_role::reference);
  CHECK(result.method("oracle").role == ur::method_role::upper_bound);
  CHECK(!result.method("oracle").about.empty());
  const auto all = ur::summarise_all(result);
  CHECK(all.front().role == ur::method_role::reference);
  CHECK(all.back().name == "oracle");
  const auto& soft_summary = *std::find_if(all.begin(), all.end(), [](const auto& m) { return m.name == "soft"; });
  double mean = 0;
  for (const auto& t : result.method("soft").trials) mean += t.curve[0] / 3;
  CHECK(*soft_summary.of("cheap_quality").mean == Approx(mean));
  CHECK_FALSE(soft_summary.of("never").mean);
  CHECK(soft_summary.of("never").reached == 0);
  for (std::size_t g = 0; g < ur::curve_grid; g += 25) {
    CHECK(soft_summary.curve_low[g] <= soft_summary.curve[g]);
    CHECK(soft_summary.curve_high[g] >= soft_summary.curve[g]);
  }
}

TEST_CASE("single LLMs lie where their outcomes put them") {
  const auto result = run({ur::zero_router()});
  std::size_t seen = 0;
  for (const auto& m : ur::summarise_singles(result)) {
    seen += m.trials;
    CHECK(m.relative_cost >= 0);
    CHECK(m.relative_cost <= 1);
    double quality = 0, times = 0;
    for (std::size_t t = 0; t < 3; ++t) {
      for (std::size_t h = 0; h < result.pools[t].size(); ++h) {
        if (result.pools[t][h] != m.name) continue;
        quality += result.singles[t][h].quality;
        times += 1;
      }
    }
    CHECK(m.quality == Approx(quality / times));
    CHECK(static_cast<double>(m.trials) == times);
  }
  CHECK(seen == 3 * result.unseen);
}

TEST_CASE("an estimator that asks for outcomes gets them, cell by cell, and others do not") {
  static_assert(ur::outcome_estimator<spy_estimator> && !ur::outcome_estimator<plain_estimator>);
  static_assert(ur::outcome_estimator<ur::shrunken<spy_estimator>>);
  const auto check = [](auto map, auto estimator) {
    ur::cell_predictor p{ur::kmeans{{.clusters = 4}}, map, estimator};
    p.fit(table().embeddings(), table().losses());
    p.set_validation(table().embeddings());
    auto losses = ur::column(table().losses(), 3);
    losses[5] = ur::missing;
    p.enroll("a", losses);
    std::vector<double> weights(losses.size(), 1.0);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += .01 * static_cast<double>(i % 7);
    p.enroll("b", losses, weights);
    CHECK(p.size() == 2);
  };
  check(ur::nearest_map{}, spy_estimator{});
  check(ur::proximity_map{}, spy_estimator{});
  check(ur::nearest_map{}, plain_estimator{});
  check(ur::nearest_map{}, ur::shrunken<spy_estimator>{});
}
