#pragma once

// Everything that computes. Each folder's own header says what there is in it and when to take which.
// What reads and writes files, with nlohmann/json, is uniroute/files.hpp.

#include <uniroute/bound/bound.hpp>
#include <uniroute/cluster/cluster.hpp>
#include <uniroute/data/data.hpp>
#include <uniroute/encode/encode.hpp>
#include <uniroute/enroll/enroll.hpp>
#include <uniroute/estimate/estimate.hpp>
#include <uniroute/evaluate/evaluate.hpp>
#include <uniroute/experiment/experiment.hpp>
#include <uniroute/fwd.hpp>
#include <uniroute/map/map.hpp>
#include <uniroute/predict/predict.hpp>
#include <uniroute/regret/regret.hpp>
#include <uniroute/report/report.hpp>
#include <uniroute/route/route.hpp>
#include <uniroute/stats/stats.hpp>
#include <uniroute/transform/transform.hpp>
#include <uniroute/version.hpp>
#include <uniroute/world/world.hpp>
