// ProxRouter and Avengers-Pro by hand.
#include <catch2/catch.hpp>
#include <cmath>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

/// Cells at 0, 1 and 10; two validation prompts in the first, one in the second, three in the third.
struct points {
  ur::embedding_matrix x = ur::make_matrix<float>(6, 1);
  ur::label_vector labels{0, 0, 1, 2, 2, 2};
  points() {
    for (std::size_t i = 0; i < 6; ++i) x(i, 0) = labels[i] == 0 ? 0 : labels[i] == 1 ? 1 : 10;
  }
};

template <class P>
P enrolled(P p, std::vector<double> losses) {
  const points data;
  p.fit(data.x, ur::make_matrix<double>(6, 0));
  p.set_validation(data.x);
  p.enroll("a", losses);
  return p;
}

template <class P>
double at(const P& p, float where) {
  std::vector<double> out(p.size());
  p.predict(std::span<const float>(&where, 1), out);
  return out[0];
}

const ur::kmeans<> three{{.clusters = 3, .starts = 5}};

}  // namespace

TEST_CASE("ProxRouter's cells weigh by size and distance") {
  const auto p = enrolled(ur::prox_cells<>(three, ur::exponential_tilt{{.bandwidth = 4.0}}), {1, 0, 1, 0, 0, 0});
  // Means .5, 1, 0; at .5 the squared distances are .25, .25, 90.25.
  CHECK(at(p, 0.5F) == Approx((2 * .5 + 1 * 1) / 3.0).epsilon(1e-9));
  const double near = 2, middle = std::exp(-1.0 / 4), far = 3 * std::exp(-100.0 / 4);
  CHECK(at(p, 0) == Approx((near * .5 + middle) / (near + middle + far)).epsilon(1e-9));
}

TEST_CASE("ProxRouter counts what was observed, and falls back to the mean where nothing near was") {
  const auto gaps =
      enrolled(ur::prox_cells<>(three, ur::exponential_tilt{{.bandwidth = 4.0}}), {1, ur::missing, 0, 0, 0, 0});
  CHECK(at(gaps, 0.5F) == Approx(.5).epsilon(1e-9));
  const auto far = enrolled(ur::prox_cells<>(three, ur::exponential_tilt{{.bandwidth = 0.5}}),
                            {ur::missing, ur::missing, ur::missing, 0, 1, 1});
  CHECK(at(far, 0) == Approx(2.0 / 3));
}

TEST_CASE("a bandwidth that is not given follows from the prompts") {
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = 2 * static_cast<float>(i);
  ur::prox_cells<> p(ur::kmeans{{.clusters = 2, .starts = 5}}, ur::exponential_tilt{{.relative_bandwidth = .5}});
  p.fit(x, ur::make_matrix<double>(4, 0));
  CHECK(p.blend().bandwidth() == Approx(.5));                  // every prompt is 1 from its centroid
  CHECK(ur::detail::neighbour_bandwidth(x, .5) == Approx(2));  // and 2 from its nearest neighbour
  CHECK(ur::detail::neighbour_bandwidth(ur::make_matrix<float>(1, 1, 0.0F), .5) > 0);
  CHECK(ur::detail::neighbour_bandwidth(ur::make_matrix<float>(5, 1, 3.0F), .5) > 0);
}

TEST_CASE("ProxRouter's neighbours are K-NN with a tilt") {
  auto x = ur::make_matrix<float>(4, 1);
  for (std::size_t i = 0; i < 4; ++i) x(i, 0) = static_cast<float>(i);
  ur::prox_neighbours p({.neighbours = 2}, ur::tilted_neighbours{{.bandwidth = 2.0}});
  p.fit(x, ur::make_matrix<double>(4, 0));
  p.set_validation(x);
  p.enroll("a", std::vector<double>{1, 0, 0, 1});
  p.enroll("b", std::vector<double>{ur::missing, 0, 0, 1});
  auto where = ur::make_matrix<float>(1, 1, 0.25F);
  const double tilt = std::exp((0.0625 - 0.5625) / 2);
  CHECK(p.predict(where)(0, 0) == Approx(1 / (1 + tilt)));
  CHECK(p.predict(where)(0, 1) == 0);
  ur::prox_neighbours wide({.neighbours = 3}, ur::tilted_neighbours{{.bandwidth = 1e9}});
  ur::knn plain({.neighbours = 3});
  for (auto fit : {0, 1}) {
    (void)fit;
    wide.fit(x, ur::make_matrix<double>(4, 0));
    plain.fit(x, ur::make_matrix<double>(4, 0));
    wide.set_validation(x);
    plain.set_validation(x);
  }
  wide.enroll("a", std::vector<double>{1, 0, 0, 1});
  plain.enroll("a", std::vector<double>{1, 0, 0, 1});
  CHECK(wide.predict(where)(0, 0) == Approx(plain.predict(where)(0, 0)).epsilon(1e-6));
}

TEST_CASE("Avengers-Pro is a softmax over the p nearest cells") {
  const auto two = enrolled(ur::avengers(three, ur::top_cells{{.cells = 2, .bandwidth = 2}}), {1, 0, 1, 0, 0, 0});
  const double tilt = std::exp(-1.0 / 2);
  CHECK(at(two, 0) == Approx((.5 + tilt * 1) / (1 + tilt)));
  const auto one = enrolled(ur::avengers(three, ur::top_cells{{.cells = 1}}), {1, 0, 1, 0, 0, 0});
  CHECK(at(one, 0) == .5);
  CHECK(at(one, 9) == 0);
  // A cell without outcomes is left out; one place at a tie goes to one cell.
  const auto gap = enrolled(ur::avengers(three, ur::top_cells{{.cells = 2}}), {1, 0, ur::missing, 0, 0, 0});
  CHECK(at(gap, 0.5F) == .5);
  const double tie = at(one, 0.5F);
  CHECK((tie == .5 || tie == 1));
  const auto all = enrolled(ur::avengers(three, ur::top_cells{{.cells = 99, .bandwidth = 1e9}}), {1, 0, 1, 0, 0, 0});
  CHECK(at(all, 0) == Approx(.5).epsilon(1e-6));
}

TEST_CASE("the rivals refuse what makes no sense") {
  CHECK_THROWS_WITH(ur::exponential_tilt({.bandwidth = 0.0}),
                    "exponential_tilt: bandwidth is 0, but must be finite and above 0");
  CHECK_THROWS_AS(ur::exponential_tilt({.relative_bandwidth = -1}), std::invalid_argument);
  CHECK_THROWS_AS(ur::tilted_neighbours({.relative_bandwidth = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::top_cells({.cells = 0}), std::invalid_argument);
  CHECK_THROWS_AS(ur::top_cells({.bandwidth = 0}), std::invalid_argument);
  const points data;
  ur::avengers p(ur::kmeans{{.clusters = 7}});
  CHECK_THROWS_AS(p.fit(data.x, ur::make_matrix<double>(6, 0)), std::invalid_argument);
  CHECK(p.dimension() == 0);
  CHECK_THROWS_AS(p.predict(data.x), ur::not_fitted);
}

TEST_CASE("what does not fit together is not loaded") {
  const auto p = enrolled(ur::prox_cells<>(three, ur::exponential_tilt{}), {1, 0, 1, 0, 0, 0});
  auto copy = p;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, ur::state::value>>{{"validation", ur::label_vector{7, 0, 0, 0, 0, 0}},
                                                             {"sums", ur::make_matrix<double>(1, 3, 9.0)},
                                                             {"counts", ur::make_matrix<double>(1, 3, 0.0)},
                                                             {"dimension", std::uint64_t{4}},
                                                             {"blend/options/relative_bandwidth", -1.0}}) {
    auto broken = p.save();
    broken.set(name, value);
    CHECK_THROWS_AS(copy.load(broken), ur::format_error);
  }
  CHECK(at(copy, 0) == at(p, 0));
}
