#include <catch2/catch.hpp>
#include <filesystem>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/route/save.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const std::vector<std::string> prompts{
    "prove a theorem about numbers", "prove a lemma about numbers", "a proof about sets",
    "write a poem on rain",          "write a poem on snow",        "a short poem"};

auto make_router() {
  ur::router router{ur::hashed_tfidf{{.dimension = 64}}, ur::kmeans{{.clusters = 2, .seed = 3}}, ur::nearest_map{},
                    ur::cell_mean{}, ur::lagrangian_rule{{.lambda = 0.1}}};
  router.fit(prompts);
  router.set_validation(prompts);
  return router;
}

ur::world_sample world() {
  static const ur::world_sample sample = ur::simulated_world{}.sample(600, 7);
  return sample;
}

}  // namespace

TEST_CASE("LLMs of a table are enrolled by names in braces as by a vector of names") {
  const auto& table = world().table;
  ur::router by_vector{ur::precomputed_embeddings{}, ur::knn{}, ur::lagrangian_rule{{.lambda = .5}}};
  by_vector.fit(table);
  auto in_braces = by_vector;
  by_vector.enroll(table, std::vector<std::string>{table.models()[1].name, table.models()[0].name});
  in_braces.enroll(table, {table.models()[1].name, table.models()[0].name});
  CHECK((in_braces.save() == by_vector.save()));
  in_braces.retire(table.models()[0].name);
  in_braces.enroll(table, {"Llama-2-7b"});
  CHECK(in_braces.models()[1] == "Llama-2-7b");
}

TEST_CASE("a router sends each prompt to the cheapest model that is good enough, and both texts and batches agree") {
  auto router = make_router();
  router.enroll("prover", std::vector<double>{0, 0, 0, 1, 1, 1}, 1.0);
  router.enroll("poet", std::vector<double>{1, 1, 1, 0, 0, 0}, 1.0);
  CHECK(router.route("prove a theorem about numbers").model == "prover");
  CHECK(router.route("write a poem on snow").model == "poet");
  const auto batch = router.route(std::span<const std::string>(prompts));
  for (std::size_t i = 0; i < prompts.size(); ++i) CHECK(batch[i] == router.route(prompts[i]).index);
  router.reprice("poet", 20);
  CHECK(router.route("write a poem on snow").model == "prover");
  router.retire("prover");
  CHECK(router.route("prove a theorem about numbers").model == "poet");
}

TEST_CASE("a choice carries the float64 prediction and the cost estimate of its model") {
  auto router = make_router();
  router.enroll("a", std::vector<double>{0, 0, 0, 1, 1, 1}, std::vector<double>{1, 2, 3, 4, 5, 6});
  const auto c = router.route("a proof about sets");
  CHECK(c.index == 0);
  CHECK(c.predicted_loss == 0);
  CHECK(c.cost == 3.5);
}

TEST_CASE("the order of enrolment changes no choice, not even where everything ties") {
  for (const bool swapped : {false, true}) {
    auto router = make_router();
    const std::vector<double> same{0, 1, 0, 1, 0, 1};
    router.enroll(swapped ? "b" : "a", same, 2.0);
    router.enroll(swapped ? "a" : "b", same, 2.0);
    CHECK(router.route("a short poem").model == "a");
  }
}

TEST_CASE("enroll by table names the validation prompts once and takes all models or none") {
  const auto split = ur::split(world().table, {.seed = 2});
  ur::router router{ur::precomputed_embeddings{}, ur::kmeans{{.clusters = 5}}, ur::proximity_map{}, ur::shrunken_mean{},
                    ur::lagrangian_rule{{.lambda = 1}}};
  router.fit(split.train);
  CHECK(router.size() == 0);
  std::vector<std::string> wrong = split.unseen;
  wrong.push_back("nobody");
  CHECK_THROWS_WITH(router.enroll(split.validation, wrong), Catch::Contains("'nobody' is not a model"));
  CHECK(router.size() == 0);
  router.enroll(split.validation, split.unseen);
  CHECK(router.size() == split.unseen.size());
  CHECK_THROWS_WITH(router.enroll(split.test, split.seen), Catch::Contains("are not those of set_validation"));
  CHECK_THROWS_WITH(router.enroll(split.validation, split.unseen), Catch::Contains("enrolled already"));
  CHECK(router.size() == split.unseen.size());
}

TEST_CASE("calls out of order and bad values are refused, and change nothing") {
  ur::router fresh{ur::hashed_tfidf{}, ur::knn{}, ur::best_quality_rule{}};
  CHECK_THROWS_AS(fresh.route("x"), ur::not_fitted);
  auto router = make_router();
  CHECK_THROWS_WITH(router.route("x"), Catch::Contains("the pool is empty"));
  CHECK_THROWS_AS(router.enroll("a", std::vector<double>{0, 1}, 1.0), std::invalid_argument);
  CHECK_THROWS_AS(router.enroll("a", std::vector<double>(6, 2.0), 1.0), std::domain_error);
  CHECK_THROWS_WITH(router.enroll("a", std::vector<double>(6, ur::missing), 1.0),
                    Catch::Contains("all outcomes of model 'a' are missing"));
  CHECK_THROWS_WITH(router.enroll("a", std::vector<double>(6, 0.0), -1.0),
                    Catch::Contains("must be finite and at least 0"));
  CHECK(router.size() == 0);
  CHECK_THROWS_WITH(router.retire("a"), Catch::Contains("'a' is unknown"));
  CHECK_THROWS_AS(router.reprice("a", 1), std::invalid_argument);
}

TEST_CASE("costs that are known per prompt go before the policy's estimates") {
  const auto sample = world();
  ur::router router{ur::precomputed_embeddings{}, ur::single_cluster{}, ur::nearest_map{}, ur::cell_mean{},
                    ur::lagrangian_rule{{.lambda = 1}}};
  auto x = ur::make_matrix<float>(2, 2);
  x(0, 0) = x(1, 1) = 1;
  x(0, 1) = x(1, 0) = 0;
  router.fit(x);
  router.set_validation(x);
  router.enroll("a", std::vector<double>{0.5, 0.5}, 1.0);
  router.enroll("b", std::vector<double>{0.4, 0.4}, 1.0);
  auto costs = ur::make_matrix<double>(2, 2, 1.0);
  costs(1, 1) = 5;
  CHECK(router.route(x) == std::vector<std::uint32_t>{1, 1});
  CHECK(router.route(x, costs) == std::vector<std::uint32_t>{1, 0});
  CHECK(router.route(ur::row(x, 1), ur::row(costs, 1)).model == "a");
}

TEST_CASE("cell costs estimate by cell and fall back to the mean") {
  auto x = ur::make_matrix<float>(4, 1);
  x(0, 0) = x(1, 0) = 0;
  x(2, 0) = x(3, 0) = 10;
  ur::router router{ur::precomputed_embeddings{},
                    ur::kmeans{{.clusters = 2}},
                    ur::nearest_map{},
                    ur::cell_mean{},
                    ur::best_quality_rule{},
                    ur::cell_cost{0}};
  router.fit(x);
  router.set_validation(x);
  router.enroll("a", std::vector<double>{0, 0, 1, 1}, std::vector<double>{1, 3, 10, 30});
  const auto costs = router.estimate_costs(x);
  CHECK(costs(0, 0) == 2);
  CHECK(costs(3, 0) == 20);
  // A hostile state: a cost that no constructor takes, and memberships of fewer prompts.
  auto bad = router.save();
  bad.set("costs/strength", -1.0);
  CHECK_THROWS_WITH(router.load(bad), Catch::Contains("cell_cost: strength must be finite and at least 0"));
  auto fewer = router.save();
  fewer.set("costs/memberships", ur::make_matrix<double>(1, 2, 0.5));
  router.load(fewer);
  CHECK_THROWS_WITH(router.enroll("b", std::vector<double>{0, 0, 1, 1}, std::vector<double>{1, 3, 10, 30}),
                    Catch::Contains("cell_cost::enroll: costs has 4 entries, but must have 1"));
  CHECK(router.size() == 1);
}

TEST_CASE("a budget holds for the pool it was calibrated on, and the router says when that has changed") {
  const auto split = ur::split(world().table, {.seed = 4});
  ur::router router{ur::hashed_tfidf{{.dimension = 32}}, ur::kmeans{{.clusters = 6}}, ur::proximity_map{},
                    ur::shrunken_mean{}, ur::budget_rule{{.budget = 0.004}}};
  router.fit(split.train);
  CHECK_FALSE(router.is_calibrated());
  router.enroll(split.validation, split.unseen);
  CHECK_FALSE(router.is_calibrated());
  router.calibrate(split.validation);
  CHECK(router.is_calibrated());
  const auto copy = router;
  CHECK(copy.is_calibrated());
  CHECK_FALSE(router.with_rule(ur::budget_rule{{.budget = 0.002}}).is_calibrated());
  const double lambda = router.rule().lambda();
  // A new LLM: until the next calibration the old λ goes on, and the router says that it is another pool's.
  router.enroll("new", ur::column(split.validation.losses(), 0), 0.001);
  CHECK_FALSE(router.is_calibrated());
  CHECK(router.rule().lambda() == lambda);
  router.calibrate(split.validation);
  CHECK(router.is_calibrated());
  CHECK_THROWS_AS(router.reprice("nobody", 0.1), std::invalid_argument);
  CHECK(router.is_calibrated());
  router.reprice("new", 0.1);
  CHECK_FALSE(router.is_calibrated());
  router.calibrate(split.validation);
  router.retire("new");
  CHECK_FALSE(router.is_calibrated());
  router.calibrate(split.validation);
  CHECK(router.rule().lambda() == lambda);
  auto read = router;
  read.retire(split.unseen[0]);
  read.load(router.save());
  CHECK(read.is_calibrated());
}

TEST_CASE("a saved router, read back, routes identically and still takes LLMs in") {
  const auto split = ur::split(world().table, {.seed = 4});
  const auto dir = std::filesystem::temp_directory_path() / "uniroute_saved_router";
  std::filesystem::remove_all(dir);
  ur::router router{ur::hashed_tfidf{{.dimension = 32}}, ur::kmeans{{.clusters = 6}}, ur::proximity_map{},
                    ur::shrunken_mean{}, ur::budget_rule{{.budget = 0.004}}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  router.calibrate(split.validation);
  ur::write_router(router, dir);
  ur::router copy{ur::hashed_tfidf{}, ur::kmeans{}, ur::proximity_map{}, ur::shrunken_mean{}, ur::budget_rule{}};
  ur::read_router(copy, dir);
  CHECK(copy.route(split.test.prompts()) == router.route(split.test.prompts()));
  for (auto* r : {&router, &copy}) r->enroll("new", ur::column(split.validation.losses(), 0), 0.001);
  CHECK((copy.predict(split.test) == router.predict(split.test)));
  std::filesystem::remove(dir / "array_0.npy");
  const auto before = copy.route(split.test.prompts());
  CHECK_THROWS_AS(ur::read_router(copy, dir), ur::format_error);
  CHECK(copy.route(split.test.prompts()) == before);
  std::filesystem::remove_all(dir);
}

TEST_CASE("a predictor that cannot take LLMs in routes among the models it was fitted on") {
  struct constant_predictor {
    ur::matrix<double> means = ur::make_matrix<double>(1, 0);
    std::size_t d = 0;
    void fit(const ur::embedding_matrix& x, const ur::loss_matrix& losses) {
      d = ur::columns(x);
      means = ur::column_means(losses);
    }
    ur::loss_matrix predict(const ur::embedding_matrix& x) const {
      auto out = ur::make_matrix<double>(ur::rows(x), size());
      for (std::size_t i = 0; i < ur::rows(x); ++i) predict(ur::row(x, i), ur::row(out, i));
      return out;
    }
    void predict(ur::embedding_view, std::span<double> out) const {
      std::copy(means.begin(), means.end(), out.begin());
    }
    std::size_t size() const { return ur::columns(means); }
    std::size_t dimension() const { return d; }
    ur::state save() const { return {}; }
    void load(const ur::state&) {}
  };
  ur::router router{ur::precomputed_embeddings{}, constant_predictor{}, ur::best_quality_rule{}};
  router.fit(world().table);
  CHECK(router.size() == 28);
  const auto best = ur::column_means(world().table.losses());
  CHECK(best(0, router.route(ur::row(world().table.embeddings(), 0)).index) ==
        *std::min_element(best.begin(), best.end()));
}

TEST_CASE("a saved router whose parts do not fit together is refused, and never leads out of bounds") {
  const auto split = ur::split(world().table, {.seed = 4});
  ur::router router{ur::hashed_tfidf{{.dimension = 16}}, ur::kmeans{{.clusters = 4}}, ur::nearest_map{},
                    ur::shrunken_mean{}, ur::best_quality_rule{}};
  router.fit(split.train);
  router.enroll(split.validation, split.unseen);
  const auto good = router.save();
  const auto refuse = [&](const std::string& name, ur::state::value value) {
    ur::state bad = good;
    bad.set(name, std::move(value));
    auto copy = router;
    CHECK_THROWS_AS(copy.load(bad), ur::format_error);
    CHECK(copy.route(split.test.prompts()) == router.route(split.test.prompts()));
  };
  refuse("costs/costs", std::vector<double>(100, 1.0));
  refuse("costs/costs", std::vector<double>(split.unseen.size(), -1.0));
  refuse("models", std::vector<std::string>{"a"});
  refuse("reader/dimension", std::uint64_t{17});
  refuse("predictor/dimension", std::uint64_t{17});
  refuse("predictor/validation", ur::label_vector(split.validation.size(), 9));
  refuse("predictor/validation_size", std::uint64_t{1});
  refuse("predictor/map/centroids", ur::make_matrix<float>(4, 3, 0.0F));
  refuse("predictor/clustering/centroids", ur::make_matrix<float>(2, 16, 0.0F));
  refuse("predictor/profile_losses", ur::make_matrix<double>(split.unseen.size(), 4, 7.0));
}
