#include <uniroute/uniroute.hpp>

std::size_t cells_of_second();

int main() {
  uniroute::kmeans<> cells;
  return cells.options().clusters == cells_of_second() ? 0 : 1;
}
