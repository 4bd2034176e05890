// What a map makes of a world: the counterexamples to the published bound, and the parts of a router's regret.
#include <catch2/catch.hpp>
#include <uniroute/bound/draw_cells.hpp>
#include <uniroute/regret/cell_truth.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

double plug_in_regret(const ur::mapped_world& w, double lambda = 0) {
  const auto p = ur::population_of(w.world);
  const auto truth = ur::truth_of(p, w.memberships, w.given_cell);
  const auto choices = ur::plug_in_choices(p, w.memberships, truth.profiles, lambda);
  return ur::regret_of(p, choices, lambda).regret;
}

ur::approximation_terms terms_of(const ur::mapped_world& w) {
  return ur::approximation_of(ur::population_of(w.world), w.memberships, w.given_cell);
}

}  // namespace

TEST_CASE("counterexample (a): a soft map with regret 2t refutes coefficient 1, and the factor 2 is tight") {
  // d = .01, t = .1: regret .2000 against .1020.
  const auto w = ur::soft_counterexample({.lean = .01, .advantage = .1});
  const auto terms = terms_of(w);
  CHECK(plug_in_regret(w) == Approx(.2).margin(1e-7));
  CHECK(terms.published_absolute == Approx(.5 * .1 + .5 * .1 * .51 / .49).margin(1e-7));
  CHECK(terms.published_absolute == Approx(.1020).margin(5e-5));
  CHECK(plug_in_regret(w) > 1.95 * terms.published_absolute);
  CHECK(plug_in_regret(w) > 1.95 * terms.published_signed);
  // Ours hold, the range with equality.
  CHECK(terms.range == Approx(plug_in_regret(w)).margin(1e-7));
  CHECK(plug_in_regret(w) <= terms.absolute);
  CHECK(std::isinf(terms.one_sided));
  // No factor below 2 would do: the ratio tends to 2 as the lean falls.
  const auto limit = ur::soft_counterexample({.lean = 1e-5, .advantage = .1});
  CHECK(plug_in_regret(limit) / terms_of(limit).published_absolute > 1.9999);
  CHECK(plug_in_regret(limit) / terms_of(limit).published_absolute <= 2);
  CHECK_THROWS_AS(ur::soft_counterexample({.lean = .5}), std::invalid_argument);
  CHECK_THROWS_AS(ur::soft_counterexample({.lean = .45, .advantage = .2}), std::invalid_argument);
}

TEST_CASE("counterexample (a) does not rest on answers that depend on the drawn cell") {
  for (const double lean : {.01, .001}) {
    const auto w = ur::soft_means_counterexample({.lean = lean, .advantage = .1, .tilt = 1e-6});
    CHECK(w.given_cell.empty());
    const auto terms = terms_of(w);
    const double rare = 4 * lean * .1 / (1 + 4 * lean * .1);
    CHECK(plug_in_regret(w) == Approx(.2 * (1 - rare)).margin(1e-6));
    CHECK(terms.published_absolute == Approx(.1 * (1 - rare) + .5 * rare).margin(1e-6));
    CHECK(plug_in_regret(w) > terms.published_absolute * (lean < .005 ? 1.99 : 1.9));
    CHECK(plug_in_regret(w) <= terms.range + 1e-12);
    CHECK(plug_in_regret(w) <= terms.absolute);
  }
}

TEST_CASE("counterexample (b): hard cells refute the signed bound, and ours holds with equality") {
  // regret .1, signed .0556, ours exactly .1.
  const auto w = ur::hard_counterexample();
  const auto terms = terms_of(w);
  CHECK(plug_in_regret(w) == Approx(.1).margin(1e-11));
  CHECK(terms.published_signed == Approx(.0556).margin(5e-5));
  CHECK(terms.published_signed == Approx(.5 / .9 - .5).margin(1e-11));
  CHECK(terms.one_sided == Approx(plug_in_regret(w)).margin(1e-11));
  CHECK(terms.range >= plug_in_regret(w) - 1e-12);
  // The published bound is short by any factor: nine times with ten specialists.
  const auto many = ur::hard_counterexample({.specialists = 10});
  CHECK(plug_in_regret(many) == Approx(.5).margin(1e-11));
  CHECK(terms_of(many).published_signed == Approx(.5 / .9 - .5).margin(1e-11));
  CHECK(terms_of(many).one_sided == Approx(.5).margin(1e-11));
  CHECK_THROWS_AS(ur::hard_counterexample({.specialists = 11}), std::invalid_argument);
}

TEST_CASE("profiles and shares are those of the definition") {
  const auto p = ur::population_of(ur::discrete_world({{.25, .75}, [] {
                                                         auto g = ur::make_matrix<double>(2, 1);
                                                         g(0, 0) = .2;
                                                         g(1, 0) = .6;
                                                         return g;
                                                       }()}));
  auto phi = ur::make_matrix<double>(2, 3, 0.0);
  phi(0, 0) = 1;
  phi(1, 0) = phi(1, 1) = .5;
  const auto truth = ur::truth_of(p, phi);
  CHECK(truth.shares[0] == Approx(.625));
  CHECK(truth.profiles(0, 0) == Approx((.25 * .2 + .375 * .6) / .625));
  CHECK(truth.profiles(1, 0) == Approx(.6));
  CHECK(truth.profiles(2, 0) == .5);  // nothing ever falls there
  phi(1, 1) = .6;
  CHECK_THROWS_AS(ur::truth_of(p, phi), std::domain_error);
  CHECK_THROWS_AS(ur::truth_of(p, ur::make_matrix<double>(3, 1, 1.0)), std::invalid_argument);
  CHECK_THROWS_AS(ur::one_hot(ur::label_vector{0, 2}, 2), std::invalid_argument);
}

TEST_CASE("homogeneous cells have no approximation error, and heterogeneity is what makes it") {
  const auto full = ur::random_cells({.cells = 4, .models = 5, .heterogeneity = 1, .seed = 6});
  const auto phi = ur::one_hot(full.labels, full.cells);
  double last = -1;
  for (const double share : {0.0, .25, .5, 1.0}) {
    const auto p = ur::population_of(ur::with_heterogeneity(full.world, full.labels, share));
    const auto terms = ur::approximation_of(p, phi);
    const auto parts = ur::take_apart(p, phi, ur::truth_of(p, phi).profiles, .3);
    CHECK(parts.approximation >= 0);
    CHECK(parts.approximation <= terms.one_sided + 1e-12);
    CHECK(terms.one_sided > last);
    last = terms.one_sided;
    if (share == 0) CHECK(parts.approximation == Approx(0).margin(1e-12));
    if (share == 0) CHECK(terms.range == Approx(0).margin(1e-12));
  }
}

TEST_CASE("the parts of a regret add up, and the estimation part stays within its bound") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto cells = ur::random_cells({.cells = 4, .models = 5, .heterogeneity = .8, .seed = seed});
    const auto p = ur::population_of(cells.world);
    const auto phi = ur::one_hot(cells.labels, cells.cells);
    // Estimates from 40 prompts, and a map that puts a tenth of the types in the wrong cell.
    const auto sample = ur::gather_cells(ur::draw_types(cells.world, 40, seed), cells.labels, cells.cells);
    const auto psi = ur::cell_means(sample);
    auto wrong = cells.labels;
    wrong[0] = 3;
    const auto learned = ur::one_hot(wrong, cells.cells);
    const auto parts = ur::take_apart(p, phi, psi, .3);
    CHECK(parts.optimisation == 0);
    CHECK(parts.estimation >= -1e-15);
    CHECK(parts.estimation <= parts.estimation_bound + 1e-12);
    CHECK(parts.approximation + parts.estimation == Approx(parts.regret).margin(1e-14));
    const auto with_map = ur::take_apart(p, learned, psi, .3, &phi);
    CHECK(with_map.approximation == parts.approximation);
    CHECK(with_map.approximation + with_map.optimisation + with_map.estimation ==
          Approx(with_map.regret).margin(1e-14));
    // Regret to the cells is the estimation part, for hard cells and one cost per LLM.
    const auto truth = ur::truth_of(p, phi);
    std::vector<std::uint32_t> choices;
    for (std::size_t k = 0; k < cells.cells; ++k)
      choices.push_back(
          static_cast<std::uint32_t>(ur::detail::least_objective(ur::row(psi, k), ur::row(p.costs, 0), .3)));
    CHECK(ur::regret_to_cells(truth, ur::row(p.costs, 0), choices, .3) == Approx(parts.estimation).margin(1e-12));
  }
}

TEST_CASE("a share is never above 1, whatever weights add up to") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto cells = ur::random_cells({.cells = 1, .models = 2, .seed = seed});
    const auto truth = ur::truth_of(ur::population_of(cells.world), ur::one_hot(cells.labels, 1));
    CHECK(truth.shares[0] <= 1);
    CHECK(truth.shares[0] == Approx(1).epsilon(1e-15));
  }
}
