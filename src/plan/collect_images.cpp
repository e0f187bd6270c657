#include "plan/collect_images.h"

#include "base/text.h"
#include "plan/image_chain.h"
#include "plan/names.h"

#include <algorithm>
#include <fmt/format.h>

namespace domsnap::plan {

namespace {

/// The images of the world as it will be: who needs which.
class Images {
  public:
    Images(const Collection& collection, const std::vector<std::string>& doomed) : c_(collection) {
        for (const auto& snapshot : c_.remaining)
            if (!snapshot.memory.file.empty()) named_.insert(snapshot.memory.file);
        removable_.insert(doomed.begin(), doomed.end());
        for (const auto& [path, image] : c_.facts.images)
            if (c_.ours.contains(path)) removable_.insert(path);
        for (const auto& [path, image] : c_.facts.images)
            if (has_reason(path))
                for (const auto& below : image_chain(c_.facts, path))
                    needed_.insert(below);
    }

    bool is_needed(const std::string& path) const { return needed_.contains(path) || named_.contains(path); }
    /// It stays: for a snapshot, or for more than one image.
    bool is_kept(const std::string& path) const {
        if (has_reason(path) || !removable_.contains(path)) return true;
        const auto above = images_on(c_.facts, path);
        return std::count_if(above.begin(), above.end(),
                             [&](const auto& image) { return is_needed(image); }) > 1;
    }
    /// A needed image whose chain nobody knows may rest on any.
    const std::string* unreadable() const {
        for (const auto& path : named_)
            if (const auto image = c_.facts.images.find(path);
                image != c_.facts.images.end() && !image->second.is_link_known)
                return &*named_.find(path);
        return nullptr;
    }
    const std::set<std::string>& needed() const { return needed_; }

  private:
    bool has_reason(const std::string& path) const {
        return named_.contains(path) || c_.facts.foreign.contains(path);
    }

    const Collection& c_;
    std::set<std::string> named_, removable_, needed_;
};

void remove(Collection& c, const std::string& path, std::string what) {
    c.plan.steps.push_back(RemoveFile{path, std::move(what)});
}

/// The nearest below that stays; "" = none, the image will be whole.
std::string kept_below(const Collection& c, const Images& images, const std::string& path) {
    const auto chain = image_chain(c.facts, path);
    const auto found = std::find_if(chain.begin() + 1, chain.end(),
                                    [&](const auto& below) { return images.is_kept(below); });
    return found == chain.end() ? "" : *found;
}

/// In words, why they cannot become one; "" = they can.
std::string problem_of(const Collection& c, const std::string& path) {
    if (const auto pinned = c.facts.pinned.find(path); pinned != c.facts.pinned.end())
        return fmt::format("{} {} it as it is", text::join(pinned->second, ", "),
                           pinned->second.size() == 1 ? "needs" : "need");
    for (const auto& image : image_chain(c.facts, path))
        if (const auto found = c.facts.images.find(image);
            found == c.facts.images.end() || !found->second.problem.empty())
            return found == c.facts.images.end() ? image + " was not looked at" : found->second.problem;
    return {};
}

void fold(Collection& c, const Images& images, const std::string& path, std::set<std::string>& taken) {
    const auto parent = kept_below(c, images, path);
    std::vector<std::string> going;
    for (const auto& below : image_chain(c.facts, path))
        if (below == parent)
            break;
        else if (below != path)
            going.push_back(below);
    if (const auto problem = problem_of(c, path); !problem.empty()) {
        c.plan.warnings.push_back(fmt::format("{} {}: {} rests on it, and cannot be written anew: {}",
                                              text::join(going, ", "), going.size() == 1 ? "stays" : "stay",
                                              path, problem));
        return;
    }
    c.plan.steps.push_back(
        FoldImage{path, parent, free_path(text::folder_of(path), text::base_name(path) + ".fold", taken)});
    c.plan.space += c.facts.images.at(path).size;
    for (const auto& below : going) {
        c.plan.space += c.facts.images.at(below).size;
        remove(c, below, "its content is in " + path);
    }
}

} // namespace

void remove_unneeded_images(Collection& c, const std::vector<std::string>& doomed) {
    const Images images(c, doomed);
    if (const auto* path = images.unreadable()) {
        c.plan.warnings.push_back(fmt::format(
            "no memory image is removed, because {} is still needed and what it rests on cannot be read: {}",
            *path, c.facts.images.at(*path).problem));
        return;
    }
    std::set<std::string> gone;
    for (const auto& path : doomed) {
        for (const auto& below : image_chain(c.facts, path)) {
            // Of one that no record names any more (--metadata) the user may still make a snapshot again.
            const auto above = images_on(c.facts, below);
            const bool is_free = std::all_of(above.begin(), above.end(),
                                             [&](const auto& image) { return gone.contains(image); });
            if (!is_free || images.is_needed(below) || (below != path && images.is_kept(below))) break;
            if (gone.insert(below).second) remove(c, below, "memory image");
        }
    }
}

void fold_unneeded_images(Collection& c, const std::vector<std::string>& doomed) {
    const Images images(c, doomed);
    if (images.unreadable()) return;
    std::set<std::string> taken = c.facts.taken;
    for (const auto& path : images.needed()) {
        const auto found = c.facts.images.find(path);
        if (found == c.facts.images.end() || found->second.parent.empty() || !images.is_kept(path)) continue;
        if (!images.is_kept(found->second.parent)) fold(c, images, path, taken);
    }
}

} // namespace domsnap::plan
