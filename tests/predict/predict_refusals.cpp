// What predictors, kernels, estimators and maps refuse, and what their states must be.

#include <catch2/catch.hpp>
#include <limits>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;
using Catch::Contains;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

ur::embedding_matrix places(std::size_t n = 12) {
  auto out = ur::make_matrix<float>(n, 2);
  for (std::size_t i = 0; i < n; ++i) {
    out(i, 0) = static_cast<float>(i % 3) * 10 + static_cast<float>(i);
    out(i, 1) = static_cast<float>(i * i % 7);
  }
  return out;
}

ur::loss_matrix outcomes(std::size_t n = 12, std::size_t m = 3) {
  auto out = ur::make_matrix<double>(n, m);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t h = 0; h < m; ++h) out(i, h) = (i + h) % 3 == 0 ? 1 : 0;
  }
  return out;
}

template <class Predictor>
Predictor enrolled(Predictor p) {
  p.fit(places(), outcomes());
  p.set_validation(places());
  p.enroll("a", ur::column(outcomes(), 0));
  p.enroll("b", ur::column(outcomes(), 1));
  return p;
}

/// The change makes a state that is refused, and leaves the predictor as it was.
template <class Policy, class Change>
void refused(const Policy& policy, const char* what, const Change& change) {
  INFO(what);
  auto bad = policy.save();
  change(bad);
  Policy copy = policy;
  CHECK_THROWS_AS(copy.load(bad), ur::format_error);
  CHECK((copy.save() == policy.save()));
}

template <class Value>
auto to(const char* name, Value value) {
  return [name, value](ur::state& s) { s.set(name, value); };
}

using texts = std::vector<std::string>;
using doubles = std::vector<double>;

}  // namespace

TEMPLATE_TEST_CASE("every predictor of a pool refuses calls out of order, shapes and values, and is then as it was", "",
                   ur::cell_predictor<>, ur::knn, ur::avengers, ur::logistic_regression, ur::gaussian_process<>) {
  TestType p = [] {
    if constexpr (std::same_as<TestType, ur::avengers>)
      return ur::avengers{ur::kmeans{{.clusters = 2}}};
    else if constexpr (std::same_as<TestType, ur::cell_predictor<>>)
      return ur::cell_predictor<>{ur::kmeans{{.clusters = 2}}};
    else
      return TestType{};
  }();
  CHECK_THROWS_AS(p.set_validation(places()), ur::not_fitted);
  CHECK_THROWS_AS(p.predict(places()), ur::not_fitted);
  CHECK_THROWS_WITH(p.enroll("a", doubles{0, 1}), Contains("enroll: fit must come first"));
  CHECK_THROWS_WITH(p.fit(places(), outcomes(11)), Contains("losses has 11 rows, but embeddings has 12"));
  CHECK_THROWS_WITH(p.fit(ur::make_matrix<float>(12, 0), outcomes()), Contains("embeddings has 0 columns"));
  CHECK_THROWS_WITH(p.fit(ur::make_matrix<float>(0, 2), ur::make_matrix<double>(0, 3)),
                    Contains("embeddings has 0 rows"));
  auto odd = places();
  odd(3, 1) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_AS(p.fit(odd, outcomes()), std::domain_error);
  auto beyond = outcomes();
  beyond(4, 1) = 1.5;
  CHECK_THROWS_AS(p.fit(places(), beyond), std::domain_error);
  p.fit(places(), outcomes());
  CHECK_THROWS_WITH(p.enroll("a", doubles{0, 1}), Contains("set_validation must come first"));
  CHECK_THROWS_WITH(p.set_validation(ur::make_matrix<float>(0, 2)), Contains("embeddings has 0 rows"));
  CHECK_THROWS_WITH(p.set_validation(ur::make_matrix<float>(3, 1, 0.0F)),
                    Contains("embeddings has 1 columns, but must have 2"));
  CHECK_THROWS_AS(p.set_validation(odd), std::domain_error);
  p = enrolled(p);
  CHECK(p.dimension() == 2);
  CHECK(p.size() == 2);
  const auto state = p.save();
  CHECK_THROWS_WITH(p.enroll("a", ur::column(outcomes(), 2)), Contains("is enrolled already"));
  CHECK_THROWS_WITH(p.enroll("", ur::column(outcomes(), 2)), Contains("name is empty"));
  CHECK_THROWS_WITH(p.enroll("c", doubles{0, 1}), Contains("has 2 entries, but the validation sample has 12"));
  CHECK_THROWS_WITH(p.enroll("c", doubles(12, ur::missing)), Contains("but at least one must be observed"));
  CHECK_THROWS_AS(p.enroll("c", doubles(12, -.5)), std::domain_error);
  CHECK_THROWS_WITH(p.retire("c"), Contains("'c' is unknown"));
  CHECK_THROWS_WITH(p.predict(ur::make_matrix<float>(3, 1, 0.0F)),
                    Contains("embeddings has 1 columns, but must have 2"));
  CHECK_THROWS_AS(p.predict(odd), std::domain_error);
  CHECK((p.save() == state));
  refused(p, "names", to("models", texts{"a"}));
  refused(p, "dimension", to("dimension", std::uint64_t{3}));
  // Validation prompts that are named again begin a new pool, without predictions of the old.
  p.set_validation(places(5));
  CHECK(p.size() == 0);
  CHECK(ur::columns(p.predict(places())) == 0);
  p.enroll("z", doubles{0, 1, 0, 1, 1});
  CHECK(ur::columns(p.predict(places())) == 1);
}

TEST_CASE("states of predictors are refused where an array does not fit another") {
  const auto cells = enrolled(ur::cell_predictor<>{ur::kmeans{{.clusters = 2}}});
  refused(cells, "profiles", to("profile_losses", ur::make_matrix<double>(2, 3, .5)));
  refused(cells, "rows", to("profile_counts", ur::make_matrix<double>(3, 2, .5)));
  refused(cells, "counts", to("profile_counts", ur::make_matrix<double>(2, 1, .5)));
  for (const double bad : {-.1, 1.1}) {
    auto losses = cells.profile_losses();
    losses(1, 1) = bad;
    refused(cells, "a loss", to("profile_losses", losses));
  }
  auto counts = cells.profile_counts();
  counts(0, 1) = -1;
  refused(cells, "a count", to("profile_counts", counts));
  refused(cells, "validation", to("validation_size", std::uint64_t{11}));
  refused(cells, "centroids", to("clustering/centroids", ur::make_matrix<float>(3, 2, 0.0F)));
  const auto soft = enrolled(ur::cell_predictor{ur::kmeans{{.clusters = 2}}, ur::proximity_map{}, ur::cell_mean{}});
  refused(soft, "memberships", to("validation", ur::make_matrix<double>(12, 3, .3)));
  refused(soft, "memberships", to("validation", ur::make_matrix<double>(11, 2, .5)));

  const auto near = enrolled(ur::knn{});
  refused(near, "validation", to("validation", ur::make_matrix<float>(12, 3, 0.0F)));
  refused(near, "losses", to("losses", ur::make_matrix<double>(2, 11, .5)));
  refused(near, "losses", to("losses", ur::make_matrix<double>(1, 12, .5)));
  refused(near, "none observed", to("losses", ur::make_matrix<double>(2, 12, ur::missing)));
  refused(near, "a loss", to("losses", ur::make_matrix<double>(2, 12, 1.5)));
  refused(near, "neighbours", to("options/neighbours", std::uint64_t{0}));
  CHECK_THROWS_WITH(ur::knn({.neighbours = 0}), Contains("neighbours is 0"));

  const auto blend = enrolled(ur::avengers{ur::kmeans{{.clusters = 2}}});
  refused(blend, "sums", to("sums", ur::make_matrix<double>(2, 3, .1)));
  refused(blend, "counts", to("counts", ur::make_matrix<double>(2, 1, 9.0)));
  refused(blend, "sums above counts", to("counts", ur::make_matrix<double>(2, 2, .1)));
  refused(blend, "negative", to("sums", ur::make_matrix<double>(2, 2, -.1)));
  refused(blend, "labels", to("validation", ur::label_vector(12, 2)));
  refused(blend, "nothing observed", [](ur::state& s) {
    s.set("sums", ur::make_matrix<double>(2, 2, 0.0));
    s.set("counts", ur::make_matrix<double>(2, 2, 0.0));
  });
  for (const double bad : {0.0, -1.0, infinite})
    CHECK_THROWS_AS(ur::top_cells({.bandwidth = bad}), std::invalid_argument);
  CHECK_THROWS_AS(ur::top_cells({.cells = 0}), std::invalid_argument);

  const auto logistic = enrolled(ur::logistic_regression{});
  refused(logistic, "mean", to("prior_mean", doubles{0, 1}));
  refused(logistic, "precision", to("prior_precision", ur::make_matrix<double>(3, 2, 0.0)));
  refused(logistic, "precision", to("prior_precision", ur::make_matrix<double>(2, 3, 0.0)));
  refused(logistic, "weights", to("weights", ur::make_matrix<double>(2, 2, 0.0)));
  refused(logistic, "weights", to("weights", ur::make_matrix<double>(1, 3, 0.0)));
  for (const double bad : {0.0, -1.0, infinite})
    CHECK_THROWS_AS(ur::logistic_regression({.prior_models = bad}), std::invalid_argument);
  CHECK_THROWS_AS(ur::logistic_regression({.largest_dimension = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::logistic_regression({.training_prompts = 0}), std::invalid_argument);
  CHECK_NOTHROW(ur::logistic_regression{{.largest_dimension = 1, .training_prompts = 1}});
  ur::logistic_regression empty;
  empty.fit(places(), outcomes());
  ur::logistic_regression loaded;
  loaded.load(empty.save());
  CHECK((loaded.save() == empty.save()));

  const auto process = enrolled(ur::gaussian_process<>{});
  refused(process, "noise", to("noise", doubles{0}));
  refused(process, "noise", to("noise", doubles{}));
  refused(process, "noise", to("noise", doubles{-1}));
  refused(process, "losses", to("losses", ur::make_matrix<double>(1, 12, .5)));
  refused(process, "losses", to("losses", ur::make_matrix<double>(2, 11, .5)));
  refused(process, "validation", to("validation", ur::make_matrix<float>(12, 3, 0.0F)));
  for (const double bad : {0.0, -1.0}) {
    CHECK_THROWS_AS(ur::gaussian_process<>({.noise = bad}), std::invalid_argument);
    CHECK_THROWS_AS(ur::gaussian_process<>({.default_noise = bad}), std::invalid_argument);
  }
  CHECK_THROWS_AS(ur::gaussian_process<>({.training_prompts = 1}), std::invalid_argument);
  CHECK_NOTHROW(ur::gaussian_process<>({.training_prompts = 2}));
}

TEST_CASE("kernels refuse scales, shares and states that are none") {
  for (const double bad : {0.0, -1.0, infinite})
    CHECK_THROWS_AS(ur::rbf_kernel({.scales = {1, bad}}), std::invalid_argument);
  CHECK_THROWS_AS(ur::rbf_kernel({.scales = {}}), std::invalid_argument);
  ur::rbf_kernel rbf{{.scales = {.5, 2}}};
  rbf.fit(places(), outcomes());
  rbf.choose(1);
  const double chosen = rbf.length_scale();
  refused(rbf, "chosen", to("chosen", std::uint64_t{2}));
  refused(rbf, "median", to("median", -1.0));
  refused(rbf, "median", to("median", infinite));
  refused(rbf, "scales", to("scales", doubles{.5, -2}));
  refused(rbf, "scales", to("scales", doubles{}));
  rbf.fit(places(), outcomes());
  CHECK(rbf.length_scale() == Approx(chosen / 4));
  using sum = ur::kernel_sum<ur::linear_kernel, ur::rbf_kernel>;
  for (const double bad : {-.1, 1.1})
    CHECK_THROWS_AS(sum(ur::linear_kernel{}, ur::rbf_kernel{}, {.shares = {bad}}), std::invalid_argument);
  CHECK_THROWS_AS(sum(ur::linear_kernel{}, ur::rbf_kernel{}, {.shares = {}}), std::invalid_argument);
  CHECK_NOTHROW(sum(ur::linear_kernel{}, ur::rbf_kernel{}, {.shares = {0, 1}}));
  sum both{ur::linear_kernel{}, ur::rbf_kernel{{.scales = {.5, 2}}}, {.shares = {.25, .75}}};
  both.fit(places(), outcomes());
  refused(both, "chosen", to("chosen", std::uint64_t{2}));
  refused(both, "shares", to("shares", doubles{-.5, .75}));
  refused(both, "shares", to("shares", doubles{1.5, .75}));
  // Every shape of the sum is a share of the first and a shape of the second.
  REQUIRE(both.shapes() == 4);
  std::set<std::pair<double, double>> seen;
  const auto placed = both.place(places());
  for (std::size_t shape = 0; shape < 4; ++shape) {
    both.choose(shape);
    seen.emplace(both.gram(placed, placed)(0, 1), both.gram(placed, placed)(0, 0));
  }
  CHECK(seen.size() == 4);
  ur::linear_kernel linear;
  CHECK_THROWS_AS(linear.features(places()), ur::not_fitted);
  linear.fit(places(), outcomes());
  CHECK_THROWS_AS(linear.features(ur::make_matrix<float>(2, 3, 0.0F)), std::invalid_argument);
}

TEST_CASE("estimators and maps refuse strengths, states and training sets that are none") {
  for (const double bad : {-1e-9, std::nan("")}) {
    CHECK_THROWS_AS(ur::shrunken_mean({.strength = bad}), std::invalid_argument);
    CHECK_THROWS_AS(ur::two_level_mean({.coarse_strength = bad}), std::invalid_argument);
    CHECK_THROWS_AS(ur::two_level_mean({.fine_strength = bad}), std::invalid_argument);
  }
  for (const double bad : {-1e-9, infinite})
    CHECK_THROWS_AS((ur::lower_confidence<ur::cell_mean>({.deviations = bad})), std::invalid_argument);
  CHECK_THROWS_AS(ur::two_level_mean({.coarse_cells = 0}), std::invalid_argument);
  refused(ur::shrunken_mean{{.strength = 2}}, "strength", to("options/strength", doubles{-1}));
  refused(ur::shrunken_mean{}, "pooled", to("pooled_strength", doubles{-1}));
  refused(ur::shrunken_mean{}, "pooled", to("pooled_strength", doubles{1, 2}));
  auto own = ur::shrunken_mean{{.source = ur::shrinkage_source::own_column}}.save();
  ur::shrunken_mean other;
  other.load(own);
  CHECK((other.save() == own));
  ur::two_level_mean two{{.coarse_cells = 2}};
  two.fit({}, places(4));
  refused(two, "parents", to("parents", ur::label_vector{0, 1, 2, 0}));
  refused(two, "coarse", to("coarse", std::uint64_t{9}));
  refused(two, "pooled", to("pooled_strengths", doubles{1}));
  for (const auto& bad : {doubles{-1, 1}, doubles{1, -1}}) refused(two, "pooled", to("pooled_strengths", bad));
  auto fine = two.save();
  fine.set("pooled_strengths", doubles{0, 0});
  CHECK_NOTHROW(two.load(fine));

  const auto centroids = places(3);
  ur::learned_map learned;
  CHECK_THROWS_WITH(learned.fit({ur::make_matrix<float>(0, 2), places(), outcomes()}),
                    Contains("centroids has 0 rows"));
  CHECK_THROWS_WITH(learned.fit({ur::make_matrix<float>(2, 3, 0.0F), places(), outcomes()}),
                    Contains("centroids has 3 columns"));
  CHECK_THROWS_WITH(learned.fit({centroids, places(), outcomes(11)}), Contains("losses has 11 rows"));
  CHECK_NOTHROW(learned.fit({places(1), places(), outcomes()}));
  learned.fit({centroids, places(), outcomes()});
  refused(learned, "scale", to("scale", 0.0));
  refused(learned, "offsets", to("offsets", doubles{0, 1}));
  // Options come back: those that the next fit reads, too.
  ur::learned_map tuned{{.start = {.relative_bandwidth = .7}, .temperature = 3, .weight_decay = .25, .max_steps = 5}},
      plain;
  plain.load(tuned.save());
  CHECK((plain.save() == tuned.save()));
  CHECK(plain.options().start.relative_bandwidth == .7);
  CHECK(plain.options().weight_decay == .25);
  ur::proximity_map wide{{.relative_bandwidth = .9}}, usual;
  usual.load(wide.save());
  CHECK((usual.save() == wide.save()));
  refused(wide, "bandwidth", to("bandwidth", -1.0));
  ur::nearest_map nearest;
  CHECK_THROWS_WITH(nearest.fit({ur::make_matrix<float>(0, 2), places(), outcomes()}),
                    Contains("centroids has 0 rows"));
}

TEST_CASE("a predictor that is read has all options of the one that was saved, and fits again as that would") {
  const auto again = [](auto made, auto plain) {
    made.fit(places(), outcomes());
    plain.load(made.save());
    CHECK((plain.save() == made.save()));
    made.fit(places(9), outcomes(9));
    plain.fit(places(9), outcomes(9));
    CHECK((plain.save() == made.save()));
  };
  again(ur::mlp{{.hidden = 3, .training = {.epochs = 2, .batch = 4, .seed = 9}}}, ur::mlp{});
  again(ur::matrix_factorisation{{.rank = 2, .training = {.epochs = 3, .learning_rate = .01}}},
        ur::matrix_factorisation{});
  again(ur::stacked{ur::stacked_options{.labels = 3, .scale = .5, .seed = 4}, ur::knn{{.neighbours = 2}},
                    ur::logistic_regression{}},
        ur::stacked{ur::knn{}, ur::logistic_regression{}});
  const std::vector<std::string> texts{"one two three", "one two", "one", "four five one", "four five", "two four"};
  ur::lsa few{{.dimension = 2, .features = 2, .least_prompts = 1, .longest_ngram = 1, .seed = 5}}, plain;
  few.fit(texts);
  plain.load(few.save());
  few.fit(texts);
  plain.fit(texts);
  CHECK((plain.save() == few.save()));
  refused(few, "features", to("features", std::uint64_t{0}));
  ur::mlp mlp{{.hidden = 3, .training = {.epochs = 1}}};
  mlp.fit(places(), outcomes());
  refused(mlp, "epochs", to("options/training/epochs", std::uint64_t{0}));
  ur::stacked stack{ur::knn{}, ur::logistic_regression{}};
  stack.fit(places(), outcomes());
  refused(stack, "scale", to("options/scale", 1.5));
}

TEST_CASE("a width of one is a network, and weighted enrolment checks losses under its own name") {
  CHECK_NOTHROW(ur::mlp({.hidden = 1}));
  CHECK_NOTHROW(ur::matrix_factorisation({.rank = 1}));
  CHECK_THROWS_WITH(ur::mlp({.hidden = 0}), "mlp: hidden is 0, but must be at least 1");
  ur::cell_predictor cells(ur::kmeans{{.clusters = 2}}, ur::nearest_map{}, ur::cell_mean{});
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = static_cast<float>(i);
  cells.fit(x, ur::make_matrix<double>(4, 0));
  cells.set_validation(x);
  CHECK_THROWS_WITH(cells.enroll("a", std::vector<double>{0, 1.5, 0, 0}, std::vector<double>(4, 1.0)),
                    "cell_predictor::enroll: losses[1] is 1.5, but must be in [0, 1] or missing");
  CHECK(cells.size() == 0);
}
