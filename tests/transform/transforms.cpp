// What every transform promises, and what each computes: reference values from NumPy's linalg (closed forms in
// float64), on embeddings sin(1 + 3i + 7j + ij/10) and the losses below.
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/numeric/ridge_path.hpp>
#include <uniroute/transform/transform.hpp>
#include <uniroute/world/simulated_world.hpp>

#include "support/allocation_counter.hpp"
#include "support/waves.hpp"

namespace ur = uniroute;
using uniroute_tests::wave_losses;
using uniroute_tests::waves;

namespace {

/// Z Zᵀ of the transformed prompts: what does not depend on the signs of directions.
template <class T>
ur::matrix<double> inner_products(const T& t, const ur::embedding_matrix& x) {
  const auto z = t.apply(x);
  auto out = ur::make_matrix<double>(ur::rows(x), ur::rows(x), 0.0);
  for (std::size_t a = 0; a < ur::rows(x); ++a) {
    for (std::size_t b = 0; b < ur::rows(x); ++b) {
      for (std::size_t k = 0; k < ur::columns(z); ++k)
        out(a, b) += static_cast<double>(z(a, k)) * static_cast<double>(z(b, k));
    }
  }
  return out;
}

void check_upper(const ur::matrix<double>& m, const std::vector<double>& expected) {
  std::size_t at = 0;
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = a; b < 3; ++b) CHECK(m(a, b) == Approx(expected[at++]).epsilon(1e-5).margin(1e-6));
  }
}

using ur::concatenation;
struct both : concatenation<ur::raw_embedding, ur::skills> {};
struct components : ur::projection {
  components() : projection({.dimension = 5, .whiten = true}) {}
};

}  // namespace

TEMPLATE_TEST_CASE("every transform: shapes, one prompt as the batch, no allocation, saved state, errors", "",
                   ur::raw_embedding, components, ur::skills, ur::item_traits, both) {
  static_assert(ur::embedding_transform<TestType>);
  const auto table = ur::simulated_world{{.dimension = 16}}.sample(200, 3).table;
  const auto& x = table.embeddings();
  TestType t;
  CHECK(t.dimension() == 0);
  CHECK(t.input_dimension() == 0);
  CHECK_THROWS_AS(t.apply(x), ur::not_fitted);
  t.fit(x, table.losses());
  CHECK(t.input_dimension() == 16);
  const auto z = t.apply(x);
  REQUIRE(ur::columns(z) == t.dimension());
  std::vector<float> one(t.dimension());
  for (std::size_t i = 0; i < 20; ++i) {
    t.apply(ur::row(x, i), std::span<float>(one));
    for (std::size_t k = 0; k < one.size(); ++k) {
      CHECK(std::isfinite(z(i, k)));
      CHECK(std::fabs(one[k] - z(i, k)) <= 1e-6F);
    }
  }
  {
    const uniroute_tests::allocation_counter counter;
    t.apply(ur::row(x, 7), std::span<float>(one));
    CHECK(counter.count() == 0);
  }
  TestType copy;
  copy.load(t.save());
  CHECK((copy.apply(x) == z));
  CHECK_THROWS_AS(copy.load(ur::state{}), ur::format_error);
  CHECK_THROWS_AS(t.apply(ur::make_matrix<float>(2, 3, 0.0F)), std::invalid_argument);
  auto wrong = x;
  wrong(2, 1) = std::nanf("");
  CHECK_THROWS_WITH(t.fit(wrong, table.losses()), Catch::Contains("embeddings(2, 1) is nan"));
  CHECK_THROWS_AS(t.fit(x, ur::make_matrix<double>(3, 1, 0.0)), std::invalid_argument);
  CHECK((t.apply(x) == z));
}

TEST_CASE("a projection onto principal components, plain and whitened, is NumPy's") {
  ur::projection plain{{.dimension = 2}}, white{{.dimension = 2, .whiten = true}};
  const auto none = ur::make_matrix<double>(12, 0);
  plain.fit(waves(12, 4), none);
  white.fit(waves(12, 4), none);
  check_upper(inner_products(plain, waves(3, 4, 40)),
              {0.11287448, -0.13443739, 0.04642923, 0.16312567, -0.05875679, 0.02307574});
  check_upper(inner_products(white, waves(3, 4, 40)),
              {0.33610946, -0.40885509, 0.14807403, 0.49929529, -0.18236534, 0.06781462});
  CHECK_THROWS_WITH(ur::projection{{.dimension = 5}}.fit(waves(12, 4), none), Catch::Contains("at least dimension, 5"));
  CHECK_THROWS_AS(ur::projection({.dimension = 0}), std::invalid_argument);
}

TEST_CASE("a given projection needs no fit, and whitening leaves a constant direction at 0") {
  auto weights = ur::make_matrix<double>(2, 1);
  weights(0, 0) = 2;
  weights(1, 0) = -1;
  const auto t = ur::projection::given(weights, {1, 0});
  auto x = ur::make_matrix<float>(1, 2, 3.0F);
  CHECK(t.apply(x)(0, 0) == 1);
  CHECK_THROWS_AS(ur::projection::given(weights, {1, 2, 3}), std::invalid_argument);
  CHECK_THROWS_AS(ur::projection::given(ur::make_matrix<double>(2, 1, INFINITY)), std::domain_error);
  auto flat = ur::make_matrix<float>(3, 2, 1.0F);
  for (std::size_t i = 0; i < 3; ++i) flat(i, 0) = static_cast<float>(i);
  ur::projection white{{.dimension = 2, .whiten = true}};
  white.fit(flat, ur::make_matrix<double>(3, 0));
  CHECK(white.apply(flat)(2, 1) == 0);
  CHECK(std::fabs(white.apply(flat)(2, 0)) == Approx(std::sqrt(1.5)));
}

TEST_CASE(
    "skills are the leading directions of the ridge predictions, complete or with missing outcomes, as in NumPy") {
  ur::skills t{{.directions = 2, .strength = 0.5, .target = ur::outcome_target::losses}};
  t.fit(waves(12, 4), wave_losses());
  CHECK(t.supervised());
  check_upper(inner_products(t, waves(3, 4, 40)),
              {0.2913674, -0.36163898, 0.20523029, 0.44923694, -0.25137937, 0.17418265});
  auto gaps = wave_losses();
  gaps(1, 0) = gaps(7, 0) = gaps(3, 2) = ur::missing;
  t.fit(waves(12, 4), gaps);
  check_upper(inner_products(t, waves(3, 4, 40)),
              {0.25785118, -0.31470302, 0.16160222, 0.3846668, -0.19418855, 0.11733969});
}

TEST_CASE("a ridge path has the closed form's coefficients and generalised cross-validation") {
  const auto x = waves(12, 4);
  const auto centred = ur::detail::centre(x, ur::detail::mean_of_rows(x));
  auto y = ur::make_matrix<double>(3, 12);
  for (std::size_t h = 0; h < 3; ++h) {
    double mean = 0;
    for (std::size_t i = 0; i < 12; ++i) mean += wave_losses()(i, h) / 12;
    for (std::size_t i = 0; i < 12; ++i) y(h, i) = wave_losses()(i, h) - mean;
  }
  const ur::detail::ridge_path path(centred, ur::detail::scatter(centred), y);
  const auto total = [&](double strength) {
    double sum = 0;
    for (const double v : path.generalised_cross_validation(strength)) sum += v;
    return sum;
  };
  CHECK(total(0.3) == Approx(1.1804751030339833).epsilon(1e-5));
  CHECK(total(3.0) == Approx(1.0749196678842936).epsilon(1e-5));
  const auto w = path.coefficients(3.0);
  CHECK(w(0, 1) == Approx(0.06731606).epsilon(1e-4));
  CHECK(w(2, 3) == Approx(0.032258).epsilon(1e-4));
}

TEST_CASE("contrasts leave out what all LLMs share; differences are between LLMs next to each other in quality") {
  auto losses = ur::make_matrix<double>(2, 3);
  const double values[2][3] = {{1, 0, .5}, {1, ur::missing, ur::missing}};
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t h = 0; h < 3; ++h) losses(i, h) = values[i][h];
  }
  const auto c = ur::detail::contrasts(losses);
  CHECK(c(0, 0) == .5);
  CHECK(c(0, 1) == -.5);
  CHECK(c(0, 2) == 0);
  for (std::size_t h = 0; h < 3; ++h) CHECK(ur::is_missing(c(1, h)));
  const auto d = ur::detail::neighbour_differences(losses);  // in order 1, 2, 0
  REQUIRE(ur::columns(d) == 2);
  CHECK(d(0, 0) == -.5);
  CHECK(d(0, 1) == -.5);
  CHECK(ur::is_missing(d(1, 1)));
  CHECK((ur::detail::contrasts(ur::make_matrix<double>(4, 1, .25)) == ur::make_matrix<double>(4, 1, .25)));
  // No prompt was run on two LLMs: the losses stay, and skills are learned from them.
  const double no = ur::missing;
  const ur::loss_matrix apart{{1, no}, {no, 0}, {0, no}};
  const auto same = ur::detail::contrasts(apart);
  CHECK(same(0, 0) == 1);
  CHECK(same(1, 1) == 0);
  CHECK(ur::is_missing(same(2, 1)));
  CHECK(ur::columns(ur::detail::neighbour_differences(apart)) == 2);
  CHECK(ur::detail::neighbour_differences(apart)(0, 0) == 1);
}

TEST_CASE("skills of contrasts forget how hard a prompt is for everyone") {
  // The first coordinate makes every LLM err, the second tells the two LLMs apart.
  ur::random_engine draws(4);
  auto x = ur::make_matrix<float>(2000, 2);
  auto losses = ur::make_matrix<double>(2000, 2);
  for (std::size_t i = 0; i < 2000; ++i) {
    const double hard = draws.uniform() - .5, kind = draws.uniform() - .5;
    x(i, 0) = static_cast<float>(hard);
    x(i, 1) = static_cast<float>(kind);
    losses(i, 0) = .5 + .6 * hard + .3 * kind;
    losses(i, 1) = .5 + .6 * hard - .3 * kind;
  }
  ur::skills t{{.directions = 1}};
  t.fit(x, losses);
  auto unit = ur::make_matrix<float>(3, 2, 0.0F);
  unit(1, 0) = unit(2, 1) = 1;
  const auto z = t.apply(unit);
  CHECK(std::fabs(z(1, 0) - z(0, 0)) < .01F);
  CHECK(std::fabs(z(2, 0) - z(0, 0)) > 1);
  CHECK(t.dimension() == 1);
}

TEST_CASE("skills without signal fall back on principal components; without outcomes they refuse") {
  ur::skills t{{.directions = 2}};
  t.fit(waves(12, 4), ur::make_matrix<double>(12, 3, 1.0));
  CHECK_FALSE(t.supervised());
  CHECK(t.dimension() == 2);
  ur::projection components{{.dimension = 2}};
  components.fit(waves(12, 4), ur::make_matrix<double>(12, 0));
  const auto ours = inner_products(t, waves(3, 4)), theirs = inner_products(components, waves(3, 4));
  CHECK(ours(0, 1) / ours(0, 0) == Approx(theirs(0, 1) / theirs(0, 0)).epsilon(1e-4));
  CHECK_THROWS_WITH(t.fit(waves(12, 4), ur::make_matrix<double>(12, 0)), Catch::Contains("no observed outcome"));
  CHECK_THROWS_WITH(t.fit(waves(12, 4), ur::make_matrix<double>(12, 2, ur::missing)),
                    Catch::Contains("no observed outcome"));
  CHECK(t.dimension() == 2);
  CHECK_THROWS_AS(ur::skills({.directions = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::skills({.strength = 0.0}), std::invalid_argument);
}

TEST_CASE("a pool of one LLM, LLMs that are copies, and prompts that are copies leave skills with fewer directions") {
  auto one = ur::make_matrix<double>(12, 1), copies = ur::make_matrix<double>(12, 3);
  for (std::size_t i = 0; i < 12; ++i) {
    one(i, 0) = wave_losses()(i, 0);
    copies(i, 0) = copies(i, 1) = wave_losses()(i, 0);
    copies(i, 2) = wave_losses()(i, 1);
  }
  ur::skills t;
  t.fit(waves(12, 4), one);
  CHECK(t.supervised());
  CHECK(t.dimension() == 1);
  t.fit(waves(12, 4), copies);
  CHECK(t.dimension() == 1);  // the two contrasts are one direction
  t.fit(ur::make_matrix<float>(12, 4, 0.5F), copies);
  CHECK_FALSE(t.supervised());
  CHECK(t.apply(ur::make_matrix<float>(1, 4, 0.5F))(0, 0) == 0);
}

TEST_CASE("a concatenation has both parts, weighted") {
  const auto x = waves(12, 4);
  ur::concatenation t{ur::raw_embedding{}, ur::skills{{.directions = 1}}, {.first_weight = 2, .second_weight = .5}};
  ur::skills alone{{.directions = 1}};
  t.fit(x, wave_losses());
  alone.fit(x, wave_losses());
  const auto z = t.apply(x), s = alone.apply(x);
  CHECK(t.dimension() == 5);
  CHECK(z(3, 2) == 2 * x(3, 2));
  CHECK(z(3, 4) == .5F * s(3, 0));
  static_assert(ur::learns_from_outcomes<decltype(t)>);
  static_assert(!ur::learns_from_outcomes<ur::concatenation<ur::raw_embedding, ur::projection>>);
  CHECK_THROWS_AS((ur::concatenation{ur::raw_embedding{}, ur::raw_embedding{}, {.first_weight = -1}}),
                  std::invalid_argument);
}

TEST_CASE("item traits find difficulty and discrimination where they drive the outcomes") {
  // P(error) = sigmoid(b - a θ) with b and a linear in the embedding, eleven LLMs of rising ability.
  ur::random_engine draws(8);
  const std::size_t n = 1500, m = 11;
  auto x = ur::make_matrix<float>(n, 3);
  auto losses = ur::make_matrix<double>(n, m);
  std::vector<double> hard(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < 3; ++j) x(i, j) = static_cast<float>(draws.normal());
    hard[i] = 1.5 * static_cast<double>(x(i, 0));
    for (std::size_t h = 0; h < m; ++h) {
      const double ability = -2 + .4 * static_cast<double>(h);
      losses(i, h) = draws.uniform() < ur::detail::sigmoid(hard[i] - (1 + .5 * static_cast<double>(x(i, 1))) * ability);
    }
  }
  losses(0, 0) = losses(1, 3) = ur::missing;
  ur::item_traits t{{.abilities = 1}};
  t.fit(x, losses);
  REQUIRE(t.dimension() == 2);
  const auto z = t.apply(x);
  const auto correlation = [&](std::size_t trait, std::size_t coordinate) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double a = static_cast<double>(z(i, trait)), b = static_cast<double>(x(i, coordinate));
      ab += a * b;
      aa += a * a;
      bb += b * b;
    }
    return ab / std::sqrt(aa * bb);
  };
  CHECK(correlation(0, 0) > .97);
  CHECK(std::fabs(correlation(1, 1)) > .9);
  CHECK_THROWS_WITH(t.fit(x, ur::make_matrix<double>(n, 0)), Catch::Contains("no observed outcome"));
  CHECK_NOTHROW(t.fit(x, ur::make_matrix<double>(n, 2, 1.0)));
  CHECK(t.apply(x)(0, 0) == 0);
}
