// Whole pipelines against a numpy and scipy prototype (support/reference/pipeline.py wrote pipeline.json with inputs
// and figures): table -> cells -> profiles -> predictions -> curve -> metrics, K nearest neighbours, and a certificate.

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

const nlohmann::json& figures() {
  static const nlohmann::json read = [] {
    std::ifstream file(UNIROUTE_SOURCE_DIR "/tests/support/reference/pipeline.json");
    REQUIRE(file);
    return nlohmann::json::parse(file);
  }();
  return read;
}

template <class T>
ur::matrix<T> matrix_of(const nlohmann::json& rows) {
  auto out = ur::make_matrix<T>(rows.size(), rows.at(0).size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = 0; j < rows[i].size(); ++j)
      out(i, j) = rows[i][j].is_null() ? static_cast<T>(ur::missing) : rows[i][j].get<T>();
  }
  return out;
}

/// Cells that lie where the prototype's do.
auto cells() {
  ur::kmeans<> found{{.clusters = 3}};
  auto state = found.save();
  state.set("centroids", matrix_of<float>(figures()["centroids"]));
  state.set("inertia", 0.0);
  found.load(state);
  return ur::prefitted{found};
}

template <class Predictor>
void check(const std::string& name, Predictor predictor) {
  const auto& f = figures();
  const auto& expected = f["pipelines"][name];
  const auto test_x = matrix_of<float>(f["test_x"]);
  const auto validation = matrix_of<double>(f["validation"]), losses = matrix_of<double>(f["test"]),
             costs = matrix_of<double>(f["test_costs"]);
  predictor.fit(matrix_of<float>(f["train_x"]), matrix_of<double>(f["train"]));
  predictor.set_validation(matrix_of<float>(f["validation_x"]));
  for (std::size_t h = 0; h < ur::columns(validation); ++h)
    predictor.enroll("llm " + std::to_string(h), ur::column(validation, h));
  const auto predicted = predictor.predict(test_x);
  const auto theirs = matrix_of<double>(expected["predicted"]);
  for (std::size_t i = 0; i < predicted.size(); ++i)
    CHECK(predicted.data()[i] == Approx(theirs.data()[i]).margin(1e-12));

  const auto curve =
      ur::trace_curve(predicted, ur::column_means(matrix_of<double>(f["validation_costs"])), losses, costs);
  // Prices that are equal but for rounding are one point of the prototype's.
  std::vector<ur::curve_point> points;
  for (const auto& point : curve.points) {
    if (!points.empty() && point.lambda - points.back().lambda < 1e-12) points.pop_back();
    points.push_back(point);
  }
  REQUIRE(points.size() == expected["points"].size());
  for (std::size_t p = 0; p < points.size(); ++p) {
    CHECK(points[p].lambda == Approx(expected["points"][p][0].get<double>()).margin(1e-12));
    CHECK(points[p].cost == Approx(expected["points"][p][1].get<double>()));
    CHECK(points[p].quality == Approx(expected["points"][p][2].get<double>()));
  }
  const auto singles = ur::single_models(losses, costs);
  const auto pool = ur::range_of(singles);
  const ur::curve_function function(curve, pool);
  CHECK(*ur::area(function) == Approx(expected["area"].get<double>()));
  CHECK(*ur::normalised_area(function) == Approx(expected["narea"].get<double>()));
  CHECK(*ur::normalised_area(ur::curve_function(curve, pool, ur::prototype_convention)) ==
        Approx(expected["narea_prototype"].get<double>()));
  CHECK(function.peak() == Approx(expected["peak"].get<double>()));
  const std::size_t reference =
      ur::most_accurate(ur::column_means(validation), ur::column_means(matrix_of<double>(f["validation_costs"])));
  const auto qnc = ur::quality_neutral_cost(function, singles[reference].quality);
  REQUIRE(qnc.has_value() == !expected["qnc"].is_null());
  if (qnc) CHECK(*qnc == Approx(expected["qnc"].get<double>()).margin(2e-6));  // the prototype looks at 2,000,001 costs
}

}  // namespace

TEST_CASE("pipelines give the figures of the numpy prototype") {
  SECTION("cells, plain means") { check("cell_mean", ur::cell_predictor{cells(), ur::nearest_map{}, ur::cell_mean{}}); }
  SECTION("cells, empirical Bayes") {
    ur::cell_predictor predictor{cells(), ur::nearest_map{}, ur::shrunken_mean{}};
    predictor.fit(matrix_of<float>(figures()["train_x"]), matrix_of<double>(figures()["train"]));
    CHECK(*predictor.estimator_policy().pooled_strength() == Approx(figures()["strength"].get<double>()));
    check("shrunken_mean", predictor);
  }
  SECTION("neighbours") { check("knn", ur::knn{{.neighbours = 7}}); }
}

TEST_CASE("a router and its certificate give the figures of the scipy prototype") {
  const auto& f = figures();
  for (const auto& expected : f["certificates"]) {
    ur::router router{ur::precomputed_embeddings{}, cells(), ur::nearest_map{}, ur::cell_mean{},
                      ur::lagrangian_rule{{.lambda = expected["lambda"].get<double>()}}};
    router.fit(matrix_of<float>(f["train_x"]));
    ur::routing_table_parts parts;
    parts.name = "validation";
    parts.embeddings = matrix_of<float>(f["validation_x"]);
    parts.losses = matrix_of<double>(f["validation"]);
    parts.costs = matrix_of<double>(f["validation_costs"]);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < ur::rows(parts.losses); ++i) parts.ids.push_back(std::to_string(i));
    for (std::size_t h = 0; h < ur::columns(parts.losses); ++h) {
      names.push_back("llm " + std::to_string(h));
      parts.models.push_back({.name = names.back()});
    }
    const auto table = ur::as_binary(ur::routing_table(parts));
    router.enroll(table, names);
    for (std::size_t h = 0; h < names.size(); ++h) router.reprice(names[h], f["prices"][h].get<double>());
    const auto c =
        ur::certify<ur::exact_binomial>(router, table, ur::confidence_level{1 - expected["delta"].get<double>()},
                                        {.share_part = expected["part"].get<double>()});
    CHECK(c.gap_adaptive == Approx(expected["gap_adaptive"].get<double>()).epsilon(1e-9));
  }
}
