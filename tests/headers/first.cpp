// Everything of uniroute a second time: a function that is not inline would be defined twice.
#include <uniroute/files.hpp>
#include <uniroute/uniroute.hpp>

std::size_t cells_of_second();

int main() { return uniroute::kmeans<>{}.options().clusters == cells_of_second() ? 0 : 1; }
