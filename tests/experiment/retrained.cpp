// Methods that train again in every trial: what they are given, and what they are not.
#include <catch2/catch.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/experiment/seen_as_new.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// Remembers what it was fitted on.
struct spy {
  std::shared_ptr<ur::loss_matrix> losses = std::make_shared<ur::loss_matrix>();
  std::shared_ptr<ur::embedding_matrix> x = std::make_shared<ur::embedding_matrix>();
  void fit(const ur::embedding_matrix& prompts, const ur::loss_matrix& outcomes) {
    *x = prompts;
    *losses = outcomes;
  }
  ur::loss_matrix predict(const ur::embedding_matrix& prompts) const {
    auto out = ur::make_matrix<double>(ur::rows(prompts), size());
    for (std::size_t i = 0; i < ur::rows(prompts); ++i) predict(ur::row(prompts, i), ur::row(out, i));
    return out;
  }
  void predict(ur::embedding_view, std::span<double> out) const {
    for (std::size_t h = 0; h < out.size(); ++h) out[h] = static_cast<double>(h) / 100;
  }
  std::size_t size() const { return ur::columns(*losses); }
  std::size_t dimension() const { return ur::columns(*x); }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
static_assert(ur::predictor<spy> && !ur::pool_adaptive<spy>);

ur::trial_data small_trial() {
  ur::trial_data t;
  t.train_x = ur::make_matrix<float>(3, 2, 1.0F);
  t.validation_x = ur::make_matrix<float>(2, 2, 2.0F);
  t.test_x = ur::make_matrix<float>(4, 2, 3.0F);
  t.train_losses = ur::make_matrix<double>(3, 2, 0.25);
  t.train_costs = ur::make_matrix<double>(3, 2, 1.0);
  t.validation_losses = ur::make_matrix<double>(2, 2, 0.75);
  t.validation_losses(1, 0) = ur::missing;
  t.validation_costs = ur::make_matrix<double>(2, 2, 1.0);
  t.seen = {"a", "b"};
  t.unseen = {"c", "d"};
  return t;
}

}  // namespace

TEST_CASE("a retrained method stacks prompts and LLMs, leaves out what was not run, and keeps the unseen LLMs") {
  const spy watched;
  const auto method = ur::retrained_method("spy", [&](const ur::trial_data&) { return watched; });
  const auto p = method.predict(small_trial());
  REQUIRE(ur::rows(*watched.losses) == 5);
  REQUIRE(ur::columns(*watched.losses) == 4);
  CHECK((*watched.x)(2, 0) == 1);
  CHECK((*watched.x)(3, 0) == 2);
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t h = 0; h < 4; ++h) {
      const double loss = (*watched.losses)(i, h);
      if (i < 3 && h < 2)
        CHECK(loss == 0.25);
      else if (i >= 3 && h >= 2 && !(i == 4 && h == 2))
        CHECK(loss == 0.75);
      else
        CHECK(ur::is_missing(loss));
    }
  }
  REQUIRE(ur::rows(p.losses) == 4);
  REQUIRE(ur::columns(p.losses) == 2);
  CHECK(p.losses(0, 0) == .02);
  CHECK(p.losses(0, 1) == .03);
}

TEST_CASE("in a static pool an LLM has one column, with all its outcomes") {
  const spy watched;
  auto trial = small_trial();
  trial.static_pool = true;
  trial.unseen = {"b", "a"};
  const auto p = ur::retrained_method("spy", [&](const ur::trial_data&) { return watched; }).predict(trial);
  REQUIRE(ur::columns(*watched.losses) == 2);
  CHECK((*watched.losses)(0, 1) == .25);
  CHECK((*watched.losses)(3, 1) == .75);
  CHECK(ur::is_missing((*watched.losses)(4, 1)));  // the first unseen LLM is "b"
  CHECK(p.losses(0, 0) == .01);
  CHECK(p.losses(0, 1) == 0);
}

TEST_CASE("a clairvoyant method is trained on the unseen LLMs' training outcomes, and asks for them") {
  const spy watched;
  const auto method = ur::clairvoyant_method("seer", [&](const ur::trial_data&) { return watched; });
  auto trial = small_trial();
  CHECK_THROWS_WITH(method.predict(trial), Catch::Contains("clairvoyant_losses of 'seer' has 0 rows"));
  trial.clairvoyant_losses = ur::make_matrix<double>(3, 2, 0.5);
  trial.clairvoyant_losses(1, 1) = ur::missing;
  method.predict(trial);
  CHECK((*watched.losses)(0, 2) == .5);
  CHECK(ur::is_missing((*watched.losses)(1, 3)));
  CHECK((*watched.losses)(3, 3) == .75);
}

TEST_CASE("the protocol shows clairvoyant outcomes only if asked, and never those of the test") {
  const auto table = ur::simulated_world{}.sample(300, 4).table;
  for (const bool asked : {false, true}) {
    bool right = true;
    const std::vector<ur::routing_method> methods{
        ur::routing_method{"look", [&](const ur::trial_data& t) {
                             right = right && ur::rows(t.clairvoyant_losses) == (asked ? ur::rows(t.train_x) : 0);
                             // Row i is training prompt i: found in the table by its embedding.
                             for (std::size_t i = 0; asked && i < ur::rows(t.train_x); ++i) {
                               bool found = false;
                               for (std::size_t r = 0; r < table.size() && !found; ++r) {
                                 const auto a = ur::row(t.train_x, i), b = ur::row(table.embeddings(), r);
                                 if (!std::equal(a.begin(), a.end(), b.begin())) continue;
                                 found = true;
                                 for (std::size_t h = 0; h < t.unseen.size(); ++h) {
                                   std::size_t column = 0;
                                   while (table.models()[column].name != t.unseen[h]) ++column;
                                   right = right && t.clairvoyant_losses(i, h) == table.losses()(r, column);
                                 }
                               }
                               right = right && found;
                             }
                             return ur::zero_router().predict(t);
                           }}};
    (void)ur::run_protocol(table, [&](auto) { return table.embeddings(); }, methods,
                           {.trials = 2, .validation_prompts = 50, .threads = 1, .clairvoyant = asked});
    CHECK(right);
  }
}

TEST_CASE("rehearsals on seen LLMs have no clairvoyant outcomes") {
  const auto table = ur::simulated_world{}.sample(300, 4).table;
  for (const double seen : {2.0 / 3, 0.98}) {
    bool empty = true, called = false;
    const ur::routing_method candidate{"look", [&](const ur::trial_data& t) {
                                         empty = empty && t.clairvoyant_losses.size() == 0;
                                         called = true;
                                         return ur::zero_router().predict(t);
                                       }};
    const std::vector<ur::routing_method> methods{
        ur::routing_method{"select", [&](const ur::trial_data& t) {
                             (void)ur::score_on_seen(t, std::vector<ur::routing_method>{candidate});
                             return ur::zero_router().predict(t);
                           }}};
    (void)ur::run_protocol(
        table, [&](auto) { return table.embeddings(); }, methods,
        {.trials = 1, .validation_prompts = 50, .seen_models = seen, .threads = 1, .clairvoyant = true});
    CHECK(called);
    CHECK(empty);
  }
}

TEST_CASE("real rivals run through the protocol, and more threads change no bit") {
  const auto table = ur::simulated_world{{.dimension = 8}}.sample(300, 4).table;
  const ur::training_options training{.epochs = 3};
  const std::vector<ur::routing_method> methods{
      ur::retrained_method("mlp", [=](const ur::trial_data&) { return ur::mlp({.hidden = 4, .training = training}); }),
      ur::clairvoyant_method("clairvoyant_mf", [=](const ur::trial_data&) {
        return ur::matrix_factorisation({.rank = 3, .training = training});
      })};
  const auto run = [&](std::size_t threads) {
    return ur::run_protocol(table, [&](auto) { return table.embeddings(); }, methods,
                            {.trials = 3, .validation_prompts = 60, .threads = threads, .clairvoyant = true});
  };
  const auto one = run(1), two = run(2);
  for (const char* name : {"mlp", "clairvoyant_mf"}) {
    for (std::size_t t = 0; t < 3; ++t)
      CHECK(one.method(name).trials[t].of("narea") == two.method(name).trials[t].of("narea"));
  }
}
