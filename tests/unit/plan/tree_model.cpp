#include "tree_model.h"

#include "base/error.h"
#include "engine/world.h"
#include "plan/points.h"
#include "world.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace domsnap::plan {

namespace {

std::string disk_xml(const std::string& target, const DiskKind& kind) {
    return fmt::format("<disk type='file' device='disk'><driver name='qemu' type='{0}'/>"
                       "<source file='/vm/{1}.img'/><target dev='{1}' bus='virtio'/></disk>",
                       kind.qcow2 ? "qcow2" : "raw", target);
}

std::string domain_text(const std::string& disks) {
    return "<domain type='qemu'><name>vm</name><uuid>11111111-2222-4333-8444-555555555555</uuid>"
           "<memory unit='MiB'>256</memory><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>"
           "<devices>" +
           disks + "</devices></domain>\n";
}

model::Domain parse(const std::string& text) { return model::domain_from(xml::parse(text, "model")); }

/// The same plan for the same input, and the journal loses nothing of it. (Of small trees: it is slow.)
template <class Make>
Plan plan_twice(size_t snapshots, const Make& make) {
    Plan plan = make();
    if (snapshots > 40) return plan;
    if (to_json(plan) != to_json(make())) throw std::logic_error("the same input gave another plan");
    if (to_json(plan_from_json(to_json(plan))) != to_json(plan)) throw std::logic_error("the journal loses");
    return plan;
}

} // namespace

TreeModel::TreeModel(const std::vector<DiskKind>& disks) {
    std::string xml;
    for (size_t i = 0; i < disks.size(); ++i) {
        const std::string target = fmt::format("vd{}", static_cast<char>('a' + i));
        const std::string path = fmt::format("/vm/{}.img", target);
        const bool golden = disks[i].golden && disks[i].qcow2;
        const std::string base = golden ? "/vm/golden.img" : "";
        if (golden) world_.images[base] = {"qcow2", {}, {{0, 1000}, {1, 1001}}, {}, {}, 0};
        world_.images[path] = {disks[i].qcow2 ? "qcow2" : "raw", base, {}, {}, {}, 0};
        users_.insert({path, base});
        targets_.push_back(target);
        xml += disk_xml(target, disks[i]);
        guest_[target] = content(path);
    }
    world_.definition = domain_text(xml);
}

std::vector<int> TreeModel::content(const std::string& path) const {
    std::vector<int> all;
    for (int block = 0; block < MemoryWorld::blocks; ++block)
        all.push_back(world_.read(path, block));
    return all;
}

model::SnapshotTree TreeModel::tree() const {
    std::vector<model::Snapshot> snapshots;
    for (const auto& [name, text] : world_.records) {
        auto& parsed = parsed_[name];
        if (parsed.first != text)
            parsed = {text, xml::parse_snapshot(text, {.redefine = true, .disk_only = false, .record = true},
                                                "record")};
        snapshots.push_back(parsed.second);
    }
    return model::SnapshotTree(std::move(snapshots), world_.current);
}

std::string TreeModel::name_of(unsigned snapshot) const {
    auto at = world_.records.begin();
    std::advance(at, snapshot % world_.records.size());
    return at->first;
}

void TreeModel::add_disk_facts(Facts& facts, const model::Domain& domain) const {
    for (const auto& target : targets_) {
        DiskFacts disk;
        disk.target = target;
        std::string path = world_.running ? world_.leaf.at(target) : domain.find_disk(target)->source;
        for (; !path.empty(); path = world_.images.at(path).backing) {
            disk.files.push_back(path);
            if (world_.running) disk.nodes.push_back(world_.nodes.at(path));
        }
        if (world_.running) {
            disk.device = "virtio-disk-" + target;
            disk.next_node = world_.next_node.at(target);
        }
        facts.disks.push_back(disk);
    }
}

Facts TreeModel::facts() const {
    Facts facts = test_facts(world_.running ? model::SnapshotState::running : model::SnapshotState::shutoff);
    facts.files.clear();
    facts.disks.clear();
    facts.taken.clear();
    facts.definition = parse(world_.definition);
    facts.live = world_.running ? parse(world_.live) : facts.definition;
    for (const auto& [path, image] : world_.images) {
        facts.taken.insert(path);
        if (image.format == "memory") facts.images[path].hash = fmt::format("{:016x}", image.memory);
        if (image.format == "memory" || image.format == "state" || others_.contains(path)) continue;
        FileFacts file{path, image.format, image.backing, {}, 1 << 20, image.active.size() * 1000, {}, {}};
        if (!image.backing.empty()) file.backing_format = world_.images.at(image.backing).format;
        for (const auto& [tag, blocks] : image.tags)
            file.tags.insert(tag);
        facts.files[path] = file;
    }
    add_disk_facts(facts, facts.definition);
    if (world_.running) {
        facts.in_place = InPlaceFacts{{}, "/run", "1 2"};
        for (const auto& target : targets_)
            facts.in_place->drives[target] = "/machine/peripheral/" + target;
        facts.open_nodes = world_.nodes;
    }
    facts.made = made_;
    facts.given = given_;
    facts.foreign = foreign_;
    facts.now += next_name_;
    return facts;
}

void TreeModel::note_files(const Plan& plan) {
    for (const auto& step : plan.steps) {
        if (const auto* one = std::get_if<MakeOverlay>(&step)) made_.insert(one->path);
        if (const auto* one = std::get_if<CopyImage>(&step)) made_.insert(one->to);
        if (const auto* one = std::get_if<RemoveFile>(&step)) {
            if (users_.contains(one->path)) trouble_ = "removed the user's own " + one->path;
            made_.erase(one->path);
        }
        if (std::holds_alternative<Pull>(step)) ++up_;
        if (std::holds_alternative<Merge>(step) || std::holds_alternative<CommitActive>(step)) ++down_;
    }
}

void TreeModel::count_node(const std::string& node) {
    for (const auto& target : targets_)
        if (node.starts_with(target + "-")) ++world_.next_node[target];
}

void TreeModel::carry_out(const Plan& plan, unsigned undo_after) {
    for (uint32_t i = 0; i < plan.point_of_no_return && i < plan.steps.size(); ++i)
        if (!engine::is_undoable(plan.steps[i]) && !std::holds_alternative<DropNode>(plan.steps[i]))
            trouble_ = fmt::format("step {} ({}) cannot be taken back", i, kind_of(plan.steps[i]));
    const MemoryWorld before = world_;
    const uint32_t count = undo_after % (plan.point_of_no_return + 1);
    for (uint32_t i = 0; i < count; ++i)
        world_.apply(plan.steps[i]);
    for (uint32_t i = count; i-- > 0;)
        if (engine::is_undoable(plan.steps[i])) world_.undo(plan.steps[i]);
    if (!world_.same_but_for_nodes(before)) trouble_ = fmt::format("{} steps were not taken back", count);
    world_ = before;
    for (const auto& step : plan.steps) {
        if (const auto* node = std::get_if<AddNode>(&step)) count_node(node->node);
        if (const auto* open = std::get_if<OpenImages>(&step))
            for (const auto& image : open->images)
                count_node(image.node);
        if (std::holds_alternative<RewindGuest>(step)) ++in_place_;
        world_.apply(step);
    }
    note_files(plan);
    ++next_name_;
}

bool TreeModel::create(const std::string& request, bool disk_only, unsigned undo_after) {
    CreateOptions options;
    options.disk_only = disk_only;
    const auto facts = this->facts();
    const auto xml = fmt::format("<domainsnapshot><name>s{}</name>{}</domainsnapshot>", next_name_, request);
    Plan plan;
    try {
        plan = plan_twice(world_.records.size(), [&] { return plan_from_xml(xml, options, facts, tree()); });
    } catch (const Error&) {
        return false;
    }
    const int memory = world_.memory;
    carry_out(plan, undo_after);
    const auto record = record_of(plan);
    auto& copy = copies_[plan.snapshot];
    for (const auto& disk : record.disks) {
        if (!disk.point) continue;
        copy.disks[disk.name] = guest_.at(disk.name);
        if (disk.point->tag.empty() && users_.contains(disk.point->file)) given_.insert(disk.point->file);
    }
    if (record.memory_point || !record.memory.file.empty()) copy.memory = memory;
    return true;
}

bool TreeModel::revert(unsigned snapshot, const RevertOptions& options, unsigned undo_after) {
    if (world_.records.empty()) return false;
    const auto name = name_of(snapshot);
    const auto facts = this->facts();
    const Plan plan =
        plan_twice(world_.records.size(), [&] { return plan_revert(name, options, facts, tree()); });
    carry_out(plan, undo_after);
    const auto& copy = copies_.at(name);
    for (const auto& [target, blocks] : copy.disks)
        guest_[target] = blocks;
    if (copy.memory && world_.memory != *copy.memory) trouble_ = "another memory than that of " + name;
    if (copy.memory && !world_.running) trouble_ = "the guest of " + name + " does not run";
    merges_may_be_left_ = world_.running;
    return true;
}

bool TreeModel::remove(unsigned snapshot, const DeleteOptions& options) {
    if (world_.records.empty()) return false;
    const auto name = name_of(snapshot);
    const auto facts = this->facts();
    const Plan plan =
        plan_twice(world_.records.size(), [&] { return plan_delete(name, options, facts, tree()); });
    carry_out(plan, 0);
    std::erase_if(copies_, [&](const auto& one) { return !world_.records.contains(one.first); });
    merges_may_be_left_ = false;
    return true;
}

void TreeModel::write(unsigned disk, unsigned block) {
    const auto& target = targets_[disk % targets_.size()];
    const int number = static_cast<int>(block % MemoryWorld::blocks);
    const auto path =
        world_.running ? world_.leaf.at(target) : parse(world_.definition).find_disk(target)->source;
    world_.write(path, number, next_content_);
    guest_[target][static_cast<size_t>(number)] = next_content_++;
    if (world_.running) world_.memory = next_content_;
}

void TreeModel::start_or_stop() {
    if (world_.running)
        world_.stop();
    else
        world_.start(world_.definition);
}

void TreeModel::share(unsigned snapshot) {
    if (world_.records.empty()) return;
    const auto& record = tree().get(name_of(snapshot));
    for (const auto& point : record.points()) {
        if (!point.tag.empty()) continue;
        const auto path = fmt::format("/other/{}", others_.size());
        world_.images[path] = {"qcow2", point.file, {{0, -1}}, {}, {}, 0};
        others_[path] = content(path);
        for (auto at = path; !at.empty(); at = world_.images.at(at).backing)
            foreign_.insert(at);
        return;
    }
}

std::string TreeModel::check() const {
    for (const auto& words : {trouble_, check_snapshots(), check_guest(), check_files(), check_others()})
        if (!words.empty()) return words;
    return {};
}

std::string TreeModel::check_snapshots() const {
    const auto tree = this->tree();
    if (tree.all().size() != copies_.size()) return "records are missing, or too many";
    for (const auto& snapshot : tree.all()) {
        const auto& copy = copies_.at(snapshot.name);
        for (const auto& disk : snapshot.disks) {
            if (!disk.point) continue;
            const auto& wanted = copy.disks.at(disk.name);
            for (int block = 0; block < MemoryWorld::blocks; ++block) {
                const auto& [file, format, tag] = *disk.point;
                const int found = tag.empty() ? world_.read(file, block) : world_.read(file, tag, block);
                if (found != wanted[static_cast<size_t>(block)])
                    return fmt::format("snapshot {}, disk {}, block {}: {} instead of {}", snapshot.name,
                                       disk.name, block, found, wanted[static_cast<size_t>(block)]);
            }
        }
        if (!copy.memory) continue;
        const int memory =
            snapshot.memory_point
                ? world_.images.at(snapshot.memory_point->file).states.at(snapshot.memory_point->tag)
                : world_.images.at(snapshot.memory.file).memory;
        if (memory != *copy.memory) return "the memory of " + snapshot.name;
    }
    return {};
}

std::string TreeModel::check_guest() const {
    const auto definition = parse(world_.definition);
    const auto tree = this->tree();
    for (const auto& target : targets_) {
        const auto& source = definition.find_disk(target)->source;
        if (content(source) != guest_.at(target)) return "the guest's disk " + target;
        if (world_.running &&
            (world_.leaf.at(target) != source || parse(world_.live).find_disk(target)->source != source))
            return "the documents do not say what the guest writes to: " + target;
        if (is_whole_point(tree.all(), source)) return "the guest writes to a frozen file: " + source;
        for (const auto& [path, image] : world_.images)
            if (image.backing == source) return "the guest writes below " + path;
    }
    return {};
}

std::string TreeModel::check_files() const {
    const auto tree = this->tree();
    const auto definition = parse(world_.definition);
    std::set<std::string> kept, content_needed = foreign_;
    for (const auto& snapshot : tree.all()) {
        for (const auto& own : snapshot.own_files())
            kept.insert(own.file);
        for (const auto& point : snapshot.points()) {
            kept.insert(point.file);
            if (point.tag.empty()) content_needed.insert(point.file);
        }
    }
    for (const auto& disk : definition.disks)
        content_needed.insert(disk.source);
    kept.insert(content_needed.begin(), content_needed.end());
    for (const auto& start : std::set(kept))
        for (auto at = start; world_.images.contains(at); at = world_.images.at(at).backing)
            kept.insert(at);
    for (const auto& [path, image] : world_.images) {
        if (!kept.contains(path) && !users_.contains(path)) return "nothing needs " + path;
        if (merges_may_be_left_ || content_needed.contains(path)) continue;
        if (!made_.contains(path) && !given_.contains(path)) continue;
        std::vector<std::string> above;
        for (const auto& [other, one] : world_.images)
            if (one.backing == path) above.push_back(other);
        if (above.size() != 1) continue;
        const auto& child = world_.images.at(above.front());
        const bool pinned = std::any_of(child.tags.begin(), child.tags.end(), [&](const auto& tag) {
            return is_point(tree.all(), above.front(), tag.first);
        });
        if (!pinned) return fmt::format("{} is not merged with {}", path, above.front());
    }
    return {};
}

std::string TreeModel::check_others() const {
    for (const auto& [path, wanted] : others_)
        if (content(path) != wanted) return "another domain's " + path;
    return {};
}

} // namespace domsnap::plan
