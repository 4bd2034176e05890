// A newcomer that does not fit into memory leaves a predictor as it was, wherever in between memory runs out.

#include <catch2/catch.hpp>
#include <new>
#include <support/allocation_counter.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

const ur::simulated_world world{{.dimension = 4}};
const auto train = world.sample(60, 1).table, validation = world.sample(30, 2).table;

/// Runs `change` with the first, second, … allocation failing until none does. Returns how often it failed.
template <class Predictor, class Change>
std::size_t fails_cleanly(Predictor& predictor, const Change& change) {
  const ur::state before = predictor.save();
  const ur::loss_matrix predicted = predictor.predict(validation.embeddings());
  for (std::size_t n = 0;; ++n) {
    bool failed = false;
    {
      const uniroute_tests::failing_allocation fail(n);
      try {
        change(predictor);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    if (!failed) return n;
    INFO("allocation " << n);
    CHECK((predictor.save() == before));
    CHECK((predictor.predict(validation.embeddings()) == predicted));
  }
}

template <class Predictor>
void check(Predictor predictor) {
  const ur::loss_matrix& outcomes = validation.losses();
  predictor.fit(train.embeddings(), train.losses());
  predictor.set_validation(validation.embeddings());
  for (const std::size_t h : {3, 1, 2}) predictor.enroll(ur::detail::text("model ", h), ur::column(outcomes, h));
  const auto of_newcomer = ur::column(outcomes, 0);
  const std::string newcomer = "a newcomer whose name is kept on the heap";
  CHECK(fails_cleanly(predictor, [&](Predictor& p) { p.enroll(newcomer, of_newcomer); }) > 2);
  CHECK(predictor.size() == 4);
  CHECK(predictor.models()[3] == newcomer);
  CHECK(fails_cleanly(predictor, [](Predictor& p) { p.retire("model 1"); }) > 0);
  CHECK(predictor.size() == 3);
  CHECK(predictor.models()[1] == "model 2");
}

}  // namespace

TEST_CASE("a newcomer for whom memory does not suffice leaves predictors as they were") {
  SECTION("cells") { check(ur::cell_predictor{ur::kmeans{{.clusters = 4}}, ur::nearest_map{}, ur::shrunken_mean{}}); }
  SECTION("soft cells") {
    check(ur::cell_predictor{ur::kmeans{{.clusters = 4}}, ur::proximity_map{}, ur::cell_mean{}});
  }
  SECTION("neighbours") { check(ur::knn{{.neighbours = 5}}); }
  SECTION("blended cells") { check(ur::avengers{ur::kmeans{{.clusters = 4}}}); }
  SECTION("logistic regression") { check(ur::logistic_regression{}); }
  SECTION("Gaussian process") { check(ur::gaussian_process<>{}); }
  SECTION("several") { check(ur::stacked{ur::knn{{.neighbours = 5}}, ur::logistic_regression{}}); }
}
