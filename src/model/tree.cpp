#include "model/tree.h"

#include "base/error.h"
#include "base/text.h"

#include <algorithm>

namespace domsnap::model {

template <class Node>
TreeOf<Node>::TreeOf(std::vector<Node> snapshots, std::string current)
    : snapshots_(std::move(snapshots)), current_(std::move(current)) {
    std::sort(snapshots_.begin(), snapshots_.end(),
              [](const Node& a, const Node& b) { return text::name_less(a.name, b.name); });
    index_.reserve(snapshots_.size());
    for (size_t i = 0; i < snapshots_.size(); ++i) {
        if (index_.emplace(snapshots_[i].name, i).second) continue;
        throw Error(ErrorCode::corrupt,
                    "two records of a snapshot '" + text::printable(snapshots_[i].name) + "'");
    }
    // Behind the last gather the roots: snapshots without a parent, and those whose parent has no record.
    children_.resize(snapshots_.size() + 1);
    for (size_t i = 0; i < snapshots_.size(); ++i)
        children_[place_of(snapshots_[i].parent)].push_back(i);
    refuse_cycles();
}

template <class Node>
size_t TreeOf<Node>::place_of(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? snapshots_.size() : found->second;
}

/// What lies on a cycle, or below one, cannot be reached from a root.
template <class Node>
void TreeOf<Node>::refuse_cycles() const {
    const auto reached = below(snapshots_.size());
    if (reached.size() == snapshots_.size()) return;
    std::vector<bool> known(snapshots_.size());
    for (const size_t place : reached)
        known[place] = true;
    const auto first = std::find(known.begin(), known.end(), false);
    const auto& snapshot = snapshots_[static_cast<size_t>(first - known.begin())];
    throw Error(ErrorCode::corrupt,
                "the snapshots' parents form a cycle at or above '" + text::printable(snapshot.name) + "'",
                "a record names a wrong <parent>: correct it with snapshot-create --redefine");
}

template <class Node>
const Node* TreeOf<Node>::find(const std::string& name) const {
    const size_t place = place_of(name);
    return place == snapshots_.size() ? nullptr : &snapshots_[place];
}

template <class Node>
const Node& TreeOf<Node>::get(const std::string& name) const {
    if (const auto* snapshot = find(name)) return *snapshot;
    throw Error(ErrorCode::not_found,
                "Domain snapshot not found: no domain snapshot with matching name '" + text::printable(name) +
                    "'",
                "snapshot-list shows the snapshots that there are");
}

template <class Node>
std::vector<const Node*> TreeOf<Node>::at(const std::vector<size_t>& places) const {
    std::vector<const Node*> out;
    out.reserve(places.size());
    for (const size_t place : places)
        out.push_back(&snapshots_[place]);
    return out;
}

template <class Node>
std::vector<const Node*> TreeOf<Node>::roots() const {
    return at(children_.back());
}

template <class Node>
std::vector<const Node*> TreeOf<Node>::children(const std::string& name) const {
    return name.empty() || find(name) ? at(children_[place_of(name)]) : std::vector<const Node*>{};
}

/// A loop over a stack: ten thousand snapshots in one line must not need ten thousand frames.
template <class Node>
std::vector<size_t> TreeOf<Node>::below(size_t place) const {
    std::vector<size_t> out;
    std::vector<size_t> pending(children_[place].rbegin(), children_[place].rend());
    while (!pending.empty()) {
        out.push_back(pending.back());
        pending.pop_back();
        const auto& next = children_[out.back()];
        pending.insert(pending.end(), next.rbegin(), next.rend());
    }
    return out;
}

template <class Node>
std::vector<const Node*> TreeOf<Node>::descendants(const std::string& name) const {
    return name.empty() || find(name) ? at(below(place_of(name))) : std::vector<const Node*>{};
}

template <class Node>
std::vector<const Node*> TreeOf<Node>::topological() const {
    return at(below(snapshots_.size()));
}

template <class Node>
bool TreeOf<Node>::is_ancestor(const std::string& ancestor, const std::string& of) const {
    for (const auto* at = find(of); at && !at->parent.empty(); at = find(at->parent))
        if (at->parent == ancestor) return true;
    return false;
}

template <class Node>
std::vector<typename TreeOf<Node>::Below> TreeOf<Node>::count_below() const {
    std::vector<Below> counts(snapshots_.size());
    const auto order = below(snapshots_.size());
    // Children first: each adds itself to its parent once.
    for (auto place = order.rbegin(); place != order.rend(); ++place) {
        counts[*place].children = static_cast<unsigned>(children_[*place].size());
        for (const size_t child : children_[*place])
            counts[*place].descendants += counts[child].descendants + 1;
    }
    return counts;
}

template <class Node>
void TreeOf<Node>::replace(Node snapshot) {
    snapshots_.at(place_of(snapshot.name)) = std::move(snapshot);
}

template class TreeOf<Snapshot>;
template class TreeOf<SnapshotOutline>;

} // namespace domsnap::model
