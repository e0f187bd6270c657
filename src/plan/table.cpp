#include "plan/table.h"

#include <array>
#include <fmt/format.h>
#include <string_view>

namespace domsnap::plan {

using model::Location;

namespace {

/// A row names sets of values by letters: memory and disk o(mitted) n(o) i(nternal) e(xternal), flag '-' off,
/// '+' on.
struct Row {
    bool online;
    std::string_view memory, disk, disk_only;
    Outcome outcome;
};

constexpr std::string_view nothing = "nothing to snapshot: no memory and no disk is asked for";
constexpr std::string_view no_memory = "no memory to save: the domain is not running";
constexpr std::string_view contradiction = "memory state cannot be saved with offline or disk-only snapshot: "
                                           "--disk-only contradicts <memory>";

Outcome captures(Location memory, Location disk, std::string_view via) {
    return {memory, disk, {}, std::string(via)};
}
Outcome invalid(std::string_view reason) {
    return {Location::no, Location::no, std::string(reason), "invalid"};
}

// The order is the RFC's. Rows that it marks "unsupported for now" have the results that domsnap gives them.
const std::vector<Row>& rows() {
    constexpr auto no = Location::no, internal = Location::internal, external = Location::external;
    static const std::vector<Row> table = {
        {false, "on", "o", "-+", captures(no, internal, "qemu-img")},
        {false, "on", "n", "-+", invalid(nothing)},
        {false, "on", "i", "-+", captures(no, internal, "qemu-img")},
        {false, "on", "e", "-+", captures(no, external, "qemu-img")},
        {false, "ie", "onie", "-+", invalid(no_memory)},
        {true, "o", "o", "-", captures(internal, internal, "snapshot-save")},
        {true, "o", "o", "+", captures(no, external, "transaction")},
        {true, "o", "n", "-", captures(external, no, "migrate")},
        {true, "o", "e", "-", captures(external, external, "migrate+transaction")},
        {true, "o", "n", "+", invalid(nothing)},
        {true, "o", "e", "+", captures(no, external, "transaction")},
        {true, "o", "i", "-", captures(internal, internal, "snapshot-save")},
        {true, "o", "i", "+", captures(no, internal, "transaction")},
        {true, "n", "o", "-+", captures(no, external, "transaction")},
        {true, "n", "n", "-+", invalid(nothing)},
        {true, "n", "i", "-+", captures(no, internal, "transaction")},
        {true, "n", "e", "-+", captures(no, external, "transaction")},
        {true, "ie", "onie", "+", invalid(contradiction)},
        {true, "i", "o", "-", captures(internal, internal, "snapshot-save")},
        {true, "i", "n", "-", captures(internal, no, "snapshot-save")},
        {true, "i", "e", "-", captures(internal, external, "snapshot-save+transaction")},
        {true, "i", "i", "-", captures(internal, internal, "snapshot-save")},
        {true, "e", "o", "-", captures(external, external, "migrate+transaction")},
        {true, "e", "n", "-", captures(external, no, "migrate")},
        {true, "e", "i", "-", captures(external, internal, "migrate+transaction")},
        {true, "e", "e", "-", captures(external, external, "migrate+transaction")},
    };
    return table;
}

constexpr std::array locations = {Location::omitted, Location::no, Location::internal, Location::external};

char letter(Location location) { return model::to_string(location)[0]; }

bool matches(const Row& row, const Cell& cell) {
    return row.online == cell.online && row.memory.find(letter(cell.memory)) != row.memory.npos &&
           row.disk.find(letter(cell.disk)) != row.disk.npos &&
           row.disk_only.find(cell.disk_only ? '+' : '-') != row.disk_only.npos;
}

std::string words(std::string_view letters) {
    if (letters.size() == locations.size()) return "any";
    std::string out;
    for (const Location location : locations)
        if (letters.find(letter(location)) != letters.npos)
            out += fmt::format("{}{}", out.empty() ? "" : "/", model::to_string(location));
    return out;
}

std::string result_words(const Outcome& outcome) {
    if (!outcome.valid()) return fmt::format("invalid ({})", outcome.refusal);
    return fmt::format("memory={} disk={}, via {}", model::to_string(outcome.memory),
                       model::to_string(outcome.disk), outcome.via);
}

} // namespace

const Outcome& look_up(const Cell& cell) {
    for (const Row& row : rows())
        if (matches(row, cell)) return row.outcome;
    static const Outcome unknown = invalid("no row of the table covers this combination");
    return unknown;
}

std::vector<Cell> all_cells() {
    std::vector<Cell> cells;
    for (const bool online : {false, true})
        for (const Location memory : locations)
            for (const Location disk : locations)
                for (const bool disk_only : {false, true})
                    cells.push_back({online, memory, disk, disk_only});
    return cells;
}

std::string table_text() {
    std::string out =
        fmt::format("{:<8} {:<18} {:<10} {:<10} {}\n", "domain", "memory", "disk", "disk-only", "result");
    for (const Row& row : rows()) {
        const auto flag = row.disk_only.size() == 2 ? "any" : row.disk_only == "+" ? "on" : "off";
        out += fmt::format("{:<8} {:<18} {:<10} {:<10} {}\n", row.online ? "online" : "offline",
                           words(row.memory), words(row.disk), flag, result_words(row.outcome));
    }
    return out;
}

} // namespace domsnap::plan
