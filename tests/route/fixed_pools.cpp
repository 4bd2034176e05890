// Fixed pools, the records of samples, and predictors in the space of a transform: small things that nobody looked at.

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <support/small_tables.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using Catch::Contains;

TEST_CASE("a fixed pool of two sees its models by name, their predictions and their costs by prompt") {
  const std::vector<std::string> prompts{"a proof of a theorem", "a proof of a lemma", "a poem on snow",
                                         "a poem on rain",       "a short poem",       "a long proof"};
  ur::router router{ur::hashed_tfidf{{.dimension = 64}},
                    ur::kmeans{{.clusters = 2, .starts = 5}},
                    ur::nearest_map{},
                    ur::cell_mean{},
                    ur::best_quality_rule{},
                    ur::cell_cost{0}};
  router.fit(prompts);
  router.set_validation(prompts);
  // "zeta" is good at poems and dear there, "alpha" at proofs.
  router.enroll("zeta", std::vector<double>{1, 1, 0, 0, 0, 1}, std::vector<double>{1, 1, 8, 8, 8, 1});
  router.enroll("alpha", std::vector<double>{0, 0, 1, 1, 1, 0}, std::vector<double>{2, 2, 4, 4, 4, 2});
  const auto fixed = ur::fix_pool<2>(router, ur::threshold_rule{{.threshold = .5}});
  CHECK(fixed.pool().models[0] == "alpha");
  CHECK(fixed.pool().models[1] == "zeta");
  CHECK(fixed.models()[0] == "zeta");
  const auto x = router.reader().encode(prompts);
  const auto predicted = router.predict(x);
  const auto costs = router.estimate_costs(x);
  const auto batch = fixed.route(x);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    // The dearer model of this prompt is asked where it gains half a loss.
    const std::size_t dear = costs(i, 0) > costs(i, 1) ? 0 : 1;
    const std::size_t expected = predicted(i, 1 - dear) - predicted(i, dear) >= .5 ? dear : 1 - dear;
    const auto alone = fixed.route(ur::row(x, i));
    CHECK(alone.index == expected);
    CHECK(alone.model == fixed.models()[expected]);
    CHECK(alone.predicted_loss == predicted(i, expected));
    CHECK(alone.cost == costs(i, expected));
    CHECK(batch[i] == expected);
    CHECK(fixed.route(prompts[i]).index == expected);
    CHECK(fixed.route(prompts[i].c_str()).index == expected);
  }
  CHECK_THROWS_WITH(fixed.route(ur::row(ur::make_matrix<float>(1, 3, 0.0F), 0)),
                    Contains("the embedding has 3 values"));
  auto odd = ur::make_matrix<float>(1, 64, 0.0F);
  odd(0, 5) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(fixed.route(ur::row(odd, 0)), std::domain_error);
  router.enroll("third", std::vector<double>(6, .5), 1.0);
  CHECK_THROWS_WITH(ur::fix_pool<2>(router, ur::threshold_rule{}),
                    Contains("the pool has 3 models, but must have exactly 2"));
  // Of equal costs the second by name counts as the dearer.
  const std::vector<double> losses{.2, .9}, equal{1, 1};
  CHECK(ur::threshold_rule{{.threshold = -1}}.choose(
            ur::candidates<2>{std::span<const double, 2>(losses), std::span<const double, 2>(equal), 0}) == 1);
  CHECK(ur::threshold_rule{{.threshold = -1}}.margin(ur::candidates<2>{
            std::span<const double, 2>(losses), std::span<const double, 2>(equal), 0}) == Approx(.15));
}

TEST_CASE("a sample is known again by its ids, its texts or its embeddings, and by nothing else") {
  using uniroute_tests::small_table;
  const auto loss = [](auto, auto) { return .5; };
  const auto first = small_table("one ", 6, 2, loss), same = small_table("one ", 6, 2, loss);
  auto other_ids = small_table("two ", 6, 2, loss).parts();
  for (std::size_t i = 0; i < 6; ++i) other_ids.embeddings(i, 0) += 100;
  const ur::sample_record record(first);
  CHECK(record.first_shared(same) == std::optional<std::size_t>(0));
  CHECK_FALSE(record.first_shared(ur::routing_table(other_ids)));
  auto one_shared = other_ids;
  one_shared.ids[4] = "one 2";
  one_shared.embeddings(4, 0) = 2;
  CHECK(record.first_shared(ur::routing_table(one_shared)) == std::optional<std::size_t>(4));
  // The same id with another embedding is another prompt.
  one_shared.embeddings(4, 0) = 77;
  CHECK_FALSE(record.first_shared(ur::routing_table(one_shared)));
  const ur::sample_record unlabelled(first.embeddings());
  CHECK(unlabelled.first_shared(first) == std::optional<std::size_t>(0));
  auto moved = first.parts();
  moved.embeddings(5, 0) += .5F;
  CHECK_FALSE(unlabelled.first_shared(ur::routing_table(moved)));
  CHECK_FALSE(ur::sample_record{}.first_shared(first));
  auto bare = first.parts();
  bare.embeddings = ur::make_matrix<float>(0, 0);
  CHECK_FALSE(ur::sample_record{}.first_shared(ur::routing_table(bare)));
}

TEST_CASE("predictors in the space of a transform check what they are given there, and training options their ranges") {
  auto x = ur::make_matrix<float>(12, 3);
  ur::random_engine engine(3);
  for (float& v : x) v = static_cast<float>(engine.normal());
  ur::transformed predictor{ur::projection{{.dimension = 2}}, ur::knn{{.neighbours = 3}}};
  CHECK_THROWS_AS(predictor.set_validation(x), ur::not_fitted);
  CHECK_THROWS_AS(predictor.predict(x), ur::not_fitted);
  predictor.fit(x, ur::make_matrix<double>(12, 0));
  CHECK(predictor.dimension() == 3);
  CHECK_THROWS_WITH(predictor.set_validation(ur::make_matrix<float>(4, 2, 0.0F)),
                    Contains("transformed::set_validation: embeddings has 2 columns"));
  CHECK_THROWS_WITH(predictor.predict(ur::make_matrix<float>(4, 2, 0.0F)),
                    Contains("transformed::predict: embeddings has 2 columns"));
  auto odd = x;
  odd(2, 1) = std::nanf("");
  CHECK_THROWS_AS(predictor.predict(odd), std::domain_error);
  using uniroute::training_options;
  const auto refused = [](const char* why, training_options o) {
    CHECK_THROWS_WITH(ur::mlp({.training = o}), Contains(why));
  };
  refused("epochs is 0", {.epochs = 0});
  refused("batch is 0", {.batch = 0});
  refused("patience is 0", {.patience = 0});
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity()})
    refused("learning_rate is", {.learning_rate = bad});
  for (const double bad : {-1.0, std::numeric_limits<double>::infinity()})
    refused("weight_decay is", {.weight_decay = bad});
  for (const double bad : {-.1, 1.0}) refused("held_prompts is", {.held_prompts = bad});
  CHECK_NOTHROW(ur::mlp({.training = {.epochs = 1, .batch = 1, .weight_decay = 0, .held_prompts = 0, .patience = 1}}));
}
