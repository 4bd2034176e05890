// A clustering of your own: cells around prompts that are drawn at random, without a step of K-means.
// ctest: --trials 2 --validation 100 --out out

#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

/// K training prompts as centroids; `given_labels` and `single_cluster` in cluster/ are written in the same way.
class random_centroids {
 public:
  explicit random_centroids(std::size_t clusters = 25, std::uint64_t seed = 1) : clusters_(clusters), draws_(seed) {}

  void fit(const ur::embedding_matrix& x) {
    std::vector<std::size_t> rows(ur::rows(x));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
    ur::shuffle(std::span(rows), draws_);
    rows.resize(std::min(clusters_, rows.size()));
    centroids_ = ur::take_rows(x, std::span<const std::size_t>(rows));
  }
  std::size_t size() const { return ur::rows(centroids_); }
  const ur::embedding_matrix& centroids() const { return centroids_; }
  ur::label_vector assign(const ur::embedding_matrix& x) const {
    ur::nearest_map nearest;
    nearest.fit({centroids_, centroids_, ur::make_matrix<double>(size(), 0)});
    return nearest.labels(x);
  }
  ur::state save() const {
    ur::state out;
    out.set("centroids", centroids_);
    return out;
  }
  void load(const ur::state& s) { centroids_ = s.get<ur::embedding_matrix>("centroids"); }

 private:
  std::size_t clusters_;
  ur::random_engine draws_;
  ur::embedding_matrix centroids_ = ur::make_matrix<float>(0, 0);
};
static_assert(ur::clustering<random_centroids>);

int main(int argc, char** argv) {
  const auto mine = ur::predictor_method("random_centroids", [](const ur::trial_data& t) {
    return ur::cell_predictor{random_centroids{25, t.seed}, ur::proximity_map{}, ur::shrunken_mean{}};
  });
  return ur::run_comparison(argc, argv,
                            {.title = "What K-means adds to random cells",
                             .methods = {ur::zero_router(), ur::methods::kmeans_soft(25), mine},
                             .focus = "random_centroids",
                             .job = "custom_clustering"});
}
