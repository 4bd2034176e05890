// Concepts true and false, and archetypes: types that have no more than a concept asks, in every place that takes one.
#include <catch2/catch.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

namespace ur = uniroute;

namespace {

/// A state for everything that has none.
struct stateless {
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};

struct minimal_encoder : stateless {
  void fit(std::span<const std::string>) {}
  ur::embedding_matrix encode(std::span<const std::string> prompts) const {
    auto out = ur::make_matrix<float>(prompts.size(), 1);
    for (std::size_t i = 0; i < prompts.size(); ++i) out(i, 0) = static_cast<float>(prompts[i].size());
    return out;
  }
  void encode(std::string_view prompt, std::span<float> out) const { out[0] = static_cast<float>(prompt.size()); }
  unsigned short dimension() const { return 1; }
};

struct minimal_source : stateless {
  void fit(const ur::embedding_matrix&) {}
  void check(const ur::embedding_matrix&) const {}
  unsigned short dimension() const { return 1; }
};

struct minimal_clustering : stateless {
  ur::embedding_matrix centres = ur::make_matrix<float>(2, 1, 0.0F);
  void fit(const ur::embedding_matrix& x) { centres(1, 0) = x(0, 0) + 5; }
  unsigned short size() const { return 2; }
  const ur::embedding_matrix& centroids() const { return centres; }
  ur::label_vector assign(const ur::embedding_matrix& x) const { return ur::label_vector(ur::rows(x), 0); }
};

struct minimal_hard_map : stateless {
  using membership_type = ur::hard_membership;
  void fit(const ur::map_training_set&) {}
  unsigned short size() const { return 2; }
  std::uint32_t label(ur::embedding_view x) const { return x[0] > 5 ? 1 : 0; }
  ur::label_vector labels(const ur::embedding_matrix& x) const {
    ur::label_vector out;
    for (std::size_t i = 0; i < ur::rows(x); ++i) out.push_back(label(ur::row(x, i)));
    return out;
  }
};

struct minimal_soft_map : stateless {
  using membership_type = ur::soft_membership;
  void fit(const ur::map_training_set&) {}
  unsigned short size() const { return 2; }
  void membership(ur::embedding_view, std::span<double> out) const { out[0] = out[1] = .5; }
  ur::membership_matrix memberships(const ur::embedding_matrix& x) const {
    return ur::make_matrix<double>(ur::rows(x), 2, .5);
  }
};

/// Without counts: an estimator, but not one that can be shrunk.
struct minimal_estimator : stateless {
  struct losses_only {
    std::vector<double> losses;
  };
  void fit(std::span<const ur::cell_statistics>) {}
  losses_only estimate(const ur::cell_statistics& s) const {
    return {std::vector<double>(s.size(), s.total / static_cast<double>(s.observed))};
  }
};

struct minimal_predictor : stateless {
  void fit(const ur::embedding_matrix&, const ur::loss_matrix& losses) { models = ur::columns(losses); }
  ur::loss_matrix predict(const ur::embedding_matrix& x) const {
    return ur::make_matrix<double>(ur::rows(x), models, .5);
  }
  void predict(ur::embedding_view, std::span<double> out) const { std::fill(out.begin(), out.end(), .5); }
  unsigned short size() const { return static_cast<unsigned short>(models); }
  unsigned short dimension() const { return 1; }
  std::size_t models = 0;
};

struct minimal_rule : stateless {
  unsigned char choose(const ur::candidates<>&) const { return 0; }
};

// --- true ---
static_assert(ur::encoder<minimal_encoder> && ur::encoder<ur::hashed_tfidf>);
static_assert(ur::embedding_source<minimal_source> && ur::embedding_source<ur::precomputed_embeddings>);
static_assert(ur::clustering<minimal_clustering> && ur::clustering<ur::kmeans<>> && ur::clustering<ur::given_labels>);
static_assert(ur::hard_cluster_map<minimal_hard_map> && ur::soft_cluster_map<minimal_soft_map>);
static_assert(ur::estimator<minimal_estimator> && ur::counting_estimator<ur::cell_mean>);
static_assert(ur::predictor<minimal_predictor> && ur::pool_adaptive<ur::knn>);
static_assert(ur::routing_rule<minimal_rule> && ur::calibrated_rule<ur::budget_rule>);
static_assert(ur::two_model_rule<ur::threshold_rule>);
static_assert(ur::hard_cell_based<ur::cell_predictor<>>);
static_assert(ur::cell_based<ur::cell_predictor<ur::kmeans<>, ur::proximity_map, ur::cell_mean>>);

// --- false ---
static_assert(!ur::encoder<ur::precomputed_embeddings> && !ur::embedding_source<ur::hashed_tfidf>);
static_assert(!ur::clustering<ur::hashed_tfidf> && !ur::clustering<ur::nearest_map> && !ur::clustering<int>);
static_assert(!ur::hard_cluster_map<ur::proximity_map> && !ur::soft_cluster_map<ur::nearest_map>);
static_assert(!ur::cluster_map<ur::kmeans<>> && !ur::counting_estimator<minimal_estimator>);
static_assert(!ur::pool_adaptive<minimal_predictor> && !ur::cell_based<ur::knn>);
static_assert(!ur::hard_cell_based<ur::cell_predictor<ur::kmeans<>, ur::proximity_map, ur::cell_mean>>);
static_assert(!ur::routing_rule<ur::threshold_rule> && !ur::two_model_rule<ur::lagrangian_rule>);
static_assert(!ur::calibrated_rule<ur::lagrangian_rule>);
static_assert(!ur::interval_for<ur::exact_binomial, ur::bounded_loss>);
static_assert(!ur::stateful<int>);

// --- deduced ---
using five = decltype(ur::router{ur::hashed_tfidf{}, ur::kmeans{}, ur::nearest_map{}, ur::cell_mean{},
                                 ur::lagrangian_rule{}});
static_assert(
    std::same_as<five, ur::router<ur::hashed_tfidf, ur::cell_predictor<ur::kmeans<>, ur::nearest_map, ur::cell_mean>,
                                  ur::lagrangian_rule, ur::mean_cost>>);
using with_costs = decltype(ur::router{ur::hashed_tfidf{}, ur::cell_predictor{}, ur::lagrangian_rule{},
                                       ur::cell_cost{}});
static_assert(std::same_as<with_costs::costs_type, ur::cell_cost>);
static_assert(
    std::same_as<decltype(ur::kmeans{{.clusters = 3}, ur::random_seeding{}}), ur::kmeans<ur::random_seeding>>);
static_assert(std::same_as<decltype(ur::shrunken{}), ur::shrunken_mean>);

template <class Router>
void use(Router router) {
  const std::vector<std::string> prompts{"a", "bb", "ccc", "dddddddd"};
  router.fit(prompts);
  router.set_validation(prompts);
  router.enroll("x", std::vector<double>{0, 1, ur::missing, 1}, 1.0);
  router.enroll("y", std::vector<double>{1, 0, 1, 0}, 2.0);
  CHECK(router.route("bb").index < 2);
  CHECK(router.route(std::span<const std::string>(prompts)).size() == 4);
  Router copy = router;
  copy.load(router.save());
  CHECK(ur::rows(router.predict(prompts)) == 4);
}

}  // namespace

TEST_CASE("a router asks no more of its policies than their concepts do") {
  use(ur::router{minimal_encoder{}, minimal_clustering{}, minimal_hard_map{}, minimal_estimator{}, minimal_rule{}});
  use(ur::router{minimal_encoder{}, minimal_clustering{}, minimal_soft_map{}, minimal_estimator{}, minimal_rule{}});
  use(ur::router{minimal_encoder{}, ur::knn{{.neighbours = 2}}, minimal_rule{}});
  ur::router fixed{minimal_source{}, minimal_predictor{}, minimal_rule{}};
  const auto table = ur::simulated_world{{.dimension = 4}}.sample(20, 1).table;
  fixed.fit(table);
  CHECK(fixed.route(table.embeddings()).size() == 20);
}
