#include "ui/tree.h"

#include "ui/width.h"

#include <map>

namespace domsnap::ui {

namespace {
class Drawing {
  public:
    explicit Drawing(const std::vector<TreeNode>& nodes) : nodes_(nodes) {
        std::map<std::string, size_t> index;
        for (size_t i = 0; i < nodes.size(); ++i)
            index.emplace(nodes[i].name, i);
        children_.resize(nodes.size());
        for (size_t i = 0; i < nodes.size(); ++i) {
            const auto parent = index.find(nodes[i].parent);
            if (nodes[i].parent.empty() || parent == index.end())
                roots_.push_back(i);
            else
                children_[parent->second].push_back(i);
        }
    }

    std::string draw() {
        for (const size_t root : roots_) {
            out_ += cell(nodes_[root].name) + "\n";
            below(root, "", true);
        }
        return std::move(out_);
    }

  private:
    void child(size_t node, const std::string& indent, bool last) {
        out_ += indent + "+- " + cell(nodes_[node].name) + "\n";
        below(node, indent + (last ? "  " : "| "), last);
    }

    /// What follows a node's own line. The last of its siblings, if it has no children, ends in a line of
    /// indentation.
    void below(size_t node, const std::string& indent, bool last) {
        const auto& children = children_[node];
        if (!children.empty()) out_ += indent + "  |\n";
        for (const size_t next : children)
            child(next, indent + "  ", next == children.back());
        if (children.empty() && last) out_ += indent + "\n";
    }

    const std::vector<TreeNode>& nodes_;
    std::vector<size_t> roots_;
    std::vector<std::vector<size_t>> children_;
    std::string out_;
};
} // namespace

std::string tree(const std::vector<TreeNode>& nodes) { return Drawing(nodes).draw(); }

} // namespace domsnap::ui
