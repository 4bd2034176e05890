#pragma once

// Everything that a router is made of, and what it is measured by. Each folder's own header says what there is in it
// and when to take which. By themselves stand, for what they take to compile:
//   bound/bound.hpp            certificates and guards.
//   world/world.hpp            worlds whose error probabilities are known.
//   regret/regret.hpp          regret where the truth is known.
//   experiment/experiment.hpp  methods beside each other on a table.
//   ladders.hpp                LLMs asked one after another.
//   files.hpp                  what reads and writes files, with nlohmann/json.

#include <uniroute/cluster/cluster.hpp>
#include <uniroute/data/data.hpp>
#include <uniroute/encode/encode.hpp>
#include <uniroute/enroll/enroll.hpp>
#include <uniroute/estimate/estimate.hpp>
#include <uniroute/evaluate/evaluate.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/map/map.hpp>
#include <uniroute/predict/predict.hpp>
#include <uniroute/report/report.hpp>
#include <uniroute/route/route.hpp>
#include <uniroute/stats/stats.hpp>
#include <uniroute/transform/transform.hpp>
#include <uniroute/version.hpp>
