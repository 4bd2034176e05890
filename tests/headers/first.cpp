// Everything of uniroute a second time: a function that is not inline would be defined twice.
#include <uniroute/bound/bound.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/experiment/files.hpp>
#include <uniroute/experiment/methods.hpp>
#include <uniroute/files.hpp>
#include <uniroute/ladders.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/uniroute.hpp>
#include <uniroute/world/world.hpp>

std::size_t cells_of_second();

int main() { return uniroute::kmeans<>{}.options().clusters == cells_of_second() ? 0 : 1; }
