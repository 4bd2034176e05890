// Every predictor predicts one prompt as it predicts a batch, with missing outcomes, without LLMs that left, and after
// saving and loading.

#include <catch2/catch.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

struct sample {
  ur::basic_routing_split<ur::bounded_loss> split;
  ur::loss_matrix validation = ur::make_matrix<double>(0, 0);
};

const sample& data() {
  static const sample out = [] {
    sample s{ur::split(ur::simulated_world{{.dimension = 6}}.sample(260, 7).table, {.seed = 2}), {}};
    s.validation = s.split.validation.losses();
    ur::random_engine draws(4);
    for (double& loss : s.validation) loss = draws.uniform() < .2 ? ur::missing : loss;
    return s;
  }();
  return out;
}

template <class Predictor>
void same_one_by_one(const std::string& name, const Predictor& predictor) {
  const auto& x = data().split.test.embeddings();
  const auto batch = predictor.predict(x);
  REQUIRE(ur::columns(batch) == predictor.size());
  std::vector<double> one(predictor.size());
  double least = 1e9, most = -1e9, error = 0;
  for (std::size_t i = 0; i < ur::rows(x); ++i) {
    predictor.predict(ur::row(x, i), std::span<double>(one));
    for (std::size_t h = 0; h < one.size(); ++h) error = std::max(error, std::fabs(one[h] - batch(i, h)));
    least = std::min(least, one[0]);
    most = std::max(most, one[0]);
  }
  CAPTURE(name);
  CHECK(error < 1e-6);
  CHECK(most - least > 1e-6);  // it looks at the prompt
}

template <class Predictor>
void check(const std::string& name, Predictor predictor) {
  const auto& s = data();
  predictor.fit(s.split.train.embeddings(), s.split.train.losses());
  if constexpr (ur::pool_adaptive<Predictor>) {
    predictor.set_validation(s.split.validation.embeddings());
    for (const auto& model : s.split.unseen)
      predictor.enroll(model, ur::column(s.validation, s.split.validation.model_index(model)));
    same_one_by_one(name, predictor);
    const auto before = predictor.predict(s.split.test.embeddings());
    predictor.retire(s.split.unseen[1]);
    const auto after = predictor.predict(s.split.test.embeddings());
    for (std::size_t h = 0; h < predictor.size(); ++h) {
      CHECK(predictor.models()[h] == s.split.unseen[h < 1 ? h : h + 1]);
      CHECK(after(3, h) == Approx(before(3, h < 1 ? h : h + 1)).margin(1e-6));
    }
  }
  same_one_by_one(name + " after", predictor);
  Predictor again = predictor;
  again.load(predictor.save());
  const auto mine = predictor.predict(s.split.test.embeddings()), loaded = again.predict(s.split.test.embeddings());
  CHECK(std::equal(mine.begin(), mine.end(), loaded.begin(), loaded.end()));
  same_one_by_one(name + " loaded", again);
}

}  // namespace

TEST_CASE("every predictor predicts one prompt as a batch") {
  const ur::kmeans<> cells{{.clusters = 5}};
  check("hard cells", ur::cell_predictor{cells, ur::nearest_map{}, ur::cell_mean{}});
  check("soft cells", ur::cell_predictor{cells, ur::proximity_map{}, ur::shrunken_mean{}});
  check("two levels", ur::cell_predictor{cells, ur::proximity_map{}, ur::two_level_mean{}});
  check("learnt map", ur::cell_predictor{cells, ur::learned_map{}, ur::shrunken_mean{}});
  check("tilted cells", ur::blended_cells{cells, ur::exponential_tilt{}});
  check("ranked cells", ur::blended_cells{cells, ur::top_cells{}});
  check("neighbours", ur::knn{{.neighbours = 7}});
  check("tilted neighbours", ur::prox_neighbours{});
  check("ridge", ur::ridge{});
  check("logistic", ur::logistic_regression{});
  check("item response", ur::item_response{});
  check("linear process", ur::gaussian_process{ur::linear_kernel{}});
  check("radial process", ur::gaussian_process{ur::rbf_kernel{}});
  check("sum of kernels", ur::gaussian_process{ur::kernel_sum{ur::linear_kernel{},
                                                              ur::transformed_kernel{ur::skills{}, ur::rbf_kernel{}}}});
  check("logistic on skills", ur::transformed{ur::skills{}, ur::logistic_regression{}});
  check("neighbours on skills", ur::transformed{ur::skills{}, ur::knn{{.neighbours = 7}}});
  check("network", ur::mlp{{.training = {.epochs = 5, .seed = 3}}});
  check("factors", ur::matrix_factorisation{{.training = {.epochs = 5, .seed = 3}}});
}
