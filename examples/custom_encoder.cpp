// An encoder of your own in an experiment: prompts as the counts of their letters.
// ctest: --trials 2 --validation 100 --out out

#include <cctype>
#include <uniroute/experiment/command_line.hpp>
#include <uniroute/uniroute.hpp>

namespace ur = uniroute;

/// 26 shares of letters. It has nothing to learn, so that each text is embedded once for all trials.
struct letter_shares {
  static constexpr bool learns = false;
  void fit(std::span<const std::string>) {}
  std::size_t dimension() const { return 26; }
  void encode(std::string_view prompt, std::span<float> out) const {
    std::fill(out.begin(), out.end(), 0.F);
    for (const unsigned char c : prompt) {
      if (std::isalpha(c) != 0)
        out[static_cast<std::size_t>(std::tolower(c) - 'a')] += 1.F / static_cast<float>(prompt.size());
    }
  }
  ur::embedding_matrix encode(std::span<const std::string> prompts) const {
    auto out = ur::make_matrix<float>(prompts.size(), dimension());
    for (std::size_t i = 0; i < prompts.size(); ++i) encode(prompts[i], ur::row(out, i));
    return out;
  }
  ur::state save() const { return {}; }
  void load(const ur::state&) {}
};
static_assert(ur::encoder<letter_shares>);

int main(int argc, char** argv) {
  const auto soft = ur::methods::kmeans_soft(25);
  return ur::run_comparison(argc, argv,
                            {.title = "An encoder beside the table's",
                             .methods = {ur::zero_router(), soft, ur::encoded_by("letters", letter_shares{}, soft)},
                             .focus = "letters",
                             .job = "custom_encoder"});
}
