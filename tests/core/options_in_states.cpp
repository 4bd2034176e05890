// A saved policy carries all of its options: every member of an options struct but callbacks and threads is visited,
// and a policy that was read has each of them.
#include <catch2/catch.hpp>
#include <optional>
#include <type_traits>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

namespace {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

struct anything {
  template <class T>
  requires(!is_optional<std::remove_cvref_t<T>>) operator T() const { throw 0; }  // never called
};

/// Members of an aggregate.
template <class T, class... Known>
constexpr std::size_t member_count() {
  if constexpr (requires { T{Known{}..., anything{}}; }) {
    return member_count<T, Known..., anything>();
  } else {
    return sizeof...(Known);
  }
}

template <class Options>
std::size_t visited() {
  std::size_t out = 0;
  Options o;
  Options::members(o, [&](auto&&...) { ++out; });
  return out;
}

/// Another value of the same kind that is as valid: half of a number, the next count, the other way.
template <class T>
void change(T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    value = !value;
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(static_cast<int>(value) == 0 ? 1 : 0);
  } else if constexpr (std::is_integral_v<T>) {
    value += 1;
  } else if constexpr (std::is_floating_point_v<T>) {
    value = value == 0 ? T(.25) : value / 2;
  } else if constexpr (is_optional<T>) {
    value = value ? T() : T(1);
  } else if constexpr (requires { value.push_back(value.front()); }) {
    value.assign(1, .125);
  } else {
    T::members(value, [once = true](auto&&, auto& member) mutable {
      if (std::exchange(once, false)) change(member);
    });
  }
}

/// Changes the options one after the other and reads each into a policy of the usual ones. `left_out`:
/// callbacks, which no file can hold, and numbers of threads, which change nothing.
template <class Policy, class Options>
void carries_each(std::size_t left_out = 0) {
  CAPTURE(typeid(Options).name());
  REQUIRE(visited<Options>() + left_out == member_count<Options>());
  for (std::size_t changed = 0; changed < visited<Options>(); ++changed) {
    CAPTURE(changed);
    Options options;
    std::size_t at = 0;
    Options::members(options, [&](auto&&, auto& member) {
      if (at++ == changed) change(member);
    });
    const Policy written{options};
    Policy read{};
    CHECK_FALSE(written.save() == read.save());
    read.load(written.save());
    CHECK(read.save() == written.save());
  }
}

}  // namespace

TEST_CASE("members of an aggregate are counted") {
  struct two {
    std::size_t a = 1;
    std::optional<double> b = {};
  };
  STATIC_REQUIRE(member_count<two>() == 2);
  STATIC_REQUIRE(member_count<ur::training_options>() == 8);
  STATIC_REQUIRE(member_count<ur::stacked_options>() == 4);
}

TEST_CASE("every option of a policy is in its state, and is read from there") {
  carries_each<ur::kmeans<>, ur::kmeans_options>(2);
  carries_each<ur::cell_mean, ur::cell_mean_options>();
  carries_each<ur::two_level_mean, ur::two_level_options>();
  carries_each<ur::shrunken<ur::cell_mean>, ur::shrunken_options>();
  carries_each<ur::lower_confidence<ur::cell_mean>, ur::lower_confidence_options>();
  carries_each<ur::proximity_map, ur::proximity_map_options>();
  carries_each<ur::learned_map, ur::learned_map_options>(1);
  carries_each<ur::top_cells, ur::top_cells_options>();
  carries_each<ur::exponential_tilt, ur::tilt_options>();
  carries_each<ur::tilted_neighbours, ur::tilt_options>();
  carries_each<ur::logistic_regression, ur::logistic_regression_options>();
  carries_each<ur::gaussian_process<>, ur::gaussian_process_options>(1);
  carries_each<ur::knn, ur::knn_options>(1);
  carries_each<ur::mlp, ur::mlp_options>();
  carries_each<ur::matrix_factorisation, ur::matrix_factorisation_options>();
  carries_each<ur::skills, ur::skills_options>();
  carries_each<ur::item_traits, ur::item_traits_options>();
  carries_each<ur::projection, ur::projection_options>();
  carries_each<ur::lagrangian_rule, ur::lagrangian_rule_options>();
  carries_each<ur::threshold_rule, ur::threshold_rule_options>();
  carries_each<ur::disagreement_design, ur::disagreement_options>(1);
  carries_each<ur::stratified_design<>, ur::stratified_options>();
  carries_each<ur::leverage_design<>, ur::leverage_options>();
}

TEST_CASE("options inside options, and those of the parts, are carried as well") {
  CHECK(visited<ur::training_options>() + 1 == member_count<ur::training_options>());
  CHECK(visited<ur::seen_as_new_options>() == member_count<ur::seen_as_new_options>());
  CHECK(visited<ur::stacked_options>() == member_count<ur::stacked_options>());
  CHECK(visited<ur::concatenated_options>() == member_count<ur::concatenated_options>());
  CHECK(visited<ur::concatenation_options>() == member_count<ur::concatenation_options>());
  CHECK(visited<ur::budget_rule_options>() == member_count<ur::budget_rule_options>());  // saved once calibrated
  CHECK(visited<ur::projected_options>() == member_count<ur::projected_options>());
  ur::cell_mean_options of_base;
  change(of_base.empty_cell);
  ur::shrunken<ur::cell_mean> changed{ur::shrunken_options{}, ur::cell_mean{of_base}}, read;
  CHECK_FALSE(changed.save() == read.save());
  read.load(changed.save());
  CHECK(read.save() == changed.save());
}
