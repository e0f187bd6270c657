// virsh's tree of names, line for line, trailing blanks too.
#pragma once

#include <string>
#include <vector>

namespace domsnap::ui {

struct TreeNode {
    std::string name, parent; ///< parent "" or not among the nodes: a root
};

/// Siblings and roots in the order given. A cycle of parents is left out (it has no root).
std::string tree(const std::vector<TreeNode>& nodes);

} // namespace domsnap::ui
