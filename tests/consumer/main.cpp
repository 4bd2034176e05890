#include <cstdio>
#include <uniroute/uniroute.hpp>

int main() {
  const auto sample = uniroute::simulated_world{}.sample(200, 1);
  uniroute::kmeans cells{{.clusters = 4}};
  cells.fit(sample.table.embeddings());
  std::printf("%zu cells\n", cells.size());
  return cells.size() == 4 ? 0 : 1;
}
