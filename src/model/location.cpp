#include "model/location.h"

#include <array>
#include <utility>

namespace domsnap::model {

namespace {

constexpr std::array locations{
    std::pair{Location::omitted, "omitted"},   std::pair{Location::no, "no"},
    std::pair{Location::internal, "internal"}, std::pair{Location::external, "external"},
    std::pair{Location::manual, "manual"},
};

constexpr std::array states{
    std::pair{SnapshotState::no_state, "nostate"},
    std::pair{SnapshotState::running, "running"},
    std::pair{SnapshotState::blocked, "blocked"},
    std::pair{SnapshotState::paused, "paused"},
    std::pair{SnapshotState::shutdown, "shutdown"},
    std::pair{SnapshotState::shutoff, "shutoff"},
    std::pair{SnapshotState::crashed, "crashed"},
    std::pair{SnapshotState::pmsuspended, "pmsuspended"},
    std::pair{SnapshotState::disk_snapshot, "disk-snapshot"},
};

template <class Table, class Value>
const char* word_for(const Table& table, Value value) {
    for (const auto& [key, word] : table)
        if (key == value) return word;
    return "";
}

template <class Value, class Table>
std::optional<Value> value_for(const Table& table, std::string_view word) {
    for (const auto& [key, known] : table)
        if (word == known) return key;
    return std::nullopt;
}

} // namespace

const char* to_string(Location location) { return word_for(locations, location); }

std::optional<Location> location_from(std::string_view word) {
    const auto location = value_for<Location>(locations, word);
    return location == Location::omitted ? std::nullopt : location;
}

const char* to_string(SnapshotState state) { return word_for(states, state); }

std::optional<SnapshotState> snapshot_state_from(std::string_view word) {
    return value_for<SnapshotState>(states, word);
}

bool is_online(SnapshotState state) {
    return state == SnapshotState::running || state == SnapshotState::blocked ||
           state == SnapshotState::paused || state == SnapshotState::pmsuspended;
}

} // namespace domsnap::model
