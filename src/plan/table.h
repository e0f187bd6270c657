// The RFC's table of combinations, as data: domain x memory x disk x disk-only flag -> what is captured, or
// why not. The planner, `domsnap table`, the manual and the tests draw from it; nobody else decides from
// these four.
#pragma once

#include "model/location.h"

#include <string>
#include <vector>

namespace domsnap::plan {

/// A cell of the table: what was asked for, of which domain.
struct Cell {
    bool online = false;
    model::Location memory = model::Location::omitted; ///< omitted, no, internal, external
    model::Location disk = model::Location::omitted;   ///< omitted, no, internal, external
    bool disk_only = false;
    bool operator==(const Cell&) const = default;
};

/// What a cell means.
struct Outcome {
    model::Location memory = model::Location::no;     ///< no, internal, external
    model::Location disk = model::Location::internal; ///< for disks that say nothing themselves
    std::string refusal; ///< not empty: an invalid combination, and the table's reason
    std::string via;     ///< the mechanism, as the RFC words it
    bool valid() const { return refusal.empty(); }
};

/// Every cell has an outcome (a test counts 64: 31 invalid, 33 valid).
const Outcome& look_up(const Cell& cell);

/// All 64 cells in the table's order.
std::vector<Cell> all_cells();

/// The table as text, a line per row of the RFC.
std::string table_text();

} // namespace domsnap::plan
