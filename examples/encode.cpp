// Embeddings of a table's prompts as a .npy file, by any encoder; an interrupted job goes on where it was.
// ctest: --encoder lsa --out lsa.npy

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numeric>
#include <string>
#include <uniroute/experiment/encoders.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>
#include <vector>

namespace ur = uniroute;

namespace {

struct settings {
  std::string data, encoder = "minilm", out = "out/embeddings.npy";
  ur::encoder_settings how;
};

int run(settings s) {
  const auto table = s.data.empty() ? ur::simulated_world{}.sample(1000, 1).table : ur::read_routing_table(s.data);
  const std::filesystem::path out = s.out;
  if (out.has_parent_path()) std::filesystem::create_directories(out.parent_path());
  s.how.parts = s.out + ".parts";
  const auto encoder = ur::make_encoder(table, s.encoder, s.how);
  std::vector<std::size_t> everything(table.size());
  std::iota(everything.begin(), everything.end(), std::size_t{0});
  const auto x = encoder.embed(everything);
  ur::detail::write_whole(out, [&](const auto& staged) { ur::write_npy(staged, x); });
  // A summary: what a mistake shows in (rows of zeros, all rows alike, lengths that are not 1 where they should be).
  double shortest = 1e300, longest = 0, alike = 0;
  for (std::size_t i = 0; i < ur::rows(x); ++i) {
    const auto of = ur::row(x, i), next = ur::row(x, (i + 1) % ur::rows(x));
    double square = 0, other = 0, product = 0;
    for (std::size_t j = 0; j < of.size(); ++j) {
      square += static_cast<double>(of[j]) * static_cast<double>(of[j]);
      other += static_cast<double>(next[j]) * static_cast<double>(next[j]);
      product += static_cast<double>(of[j]) * static_cast<double>(next[j]);
    }
    shortest = std::min(shortest, std::sqrt(square));
    longest = std::max(longest, std::sqrt(square));
    if (square > 0 && other > 0) alike += product / std::sqrt(square * other) / static_cast<double>(ur::rows(x));
  }
  std::printf("%s: %zu x %zu embeddings by %s, written to %s\n", table.name().c_str(), ur::rows(x), ur::columns(x),
              encoder.name.c_str(), out.string().c_str());
  std::printf("lengths %.4g to %.4g; mean cosine of a prompt and the next %.3f (1: all alike)\n", shortest, longest,
              alike);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  CLI::App app{"Embeddings of the prompts of a routing table"};
  app.add_option("--data", s.data, "directory of a routing table (docs/data.md); none: a simulated world");
  app.add_option("--encoder", s.encoder, ur::encoder_help)->capture_default_str();
  app.add_option("--model", s.how.model, "folder of a BERT-family model; none: all-MiniLM-L6-v2 in the cache");
  app.add_option("--threads", s.how.threads, "0: all; never changes a number")->capture_default_str();
  app.add_option("--out", s.out, "file to write; finished chunks are kept in OUT.parts")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    return run(s);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "encode: %s\n", error.what());
    return 1;
  }
}
