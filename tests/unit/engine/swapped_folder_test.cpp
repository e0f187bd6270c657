// A folder of the store is swapped for a symlink, or put back, at each effect of a verb: what lies where the
// link leads is never read, made, changed or removed; and once the folder is back, what was cut short is put
// right.
#include "records.h"

#include <filesystem>
#include <functional>
#include <gtest/gtest.h>

using namespace domsnap;
namespace fs = std::filesystem;

namespace {

/// Swaps at one effect, by calls that nobody watches.
class Swap : public Hasty {
  public:
    Swap(fs::path folder, fs::path elsewhere, unsigned at)
        : folder_(std::move(folder)), moved_(folder_.parent_path() / ".moved"),
          elsewhere_(std::move(elsewhere)), at_(at) {}
    ~Swap() override {
        if (!swapped_) return;
        fs::remove(folder_);
        fs::rename(moved_, folder_);
    }
    int before(const os::Effect&) override {
        if (++effects != at_ || !fs::is_directory(folder_)) return 0;
        fs::rename(folder_, moved_);
        fs::create_directory_symlink(elsewhere_, folder_);
        swapped_ = true;
        return 0;
    }
    unsigned effects = 0;

  private:
    fs::path folder_, moved_, elsewhere_;
    unsigned at_;
    bool swapped_ = false;
};

struct World {
    World() {
        const Hasty hasty;
        host.define(domain_without_disks, false);
        redefine("a");
        redefine("b", "a");
        host.set_snapshot_current("g", "a");
        for (const auto* folder : {"g/snapshots", "g/files", "g/memory", "snapshots", "files"})
            os::make_folders(elsewhere / folder);
        // What would be found there, if somebody looked.
        for (const auto* folder : {"", "/g"})
            for (const auto* file : {"definition.xml", "current", "journal"})
                os::write_file(elsewhere.path() + folder + "/" + file, "not ours");
    }
    void redefine(const std::string& name, const std::string& parent = {}) {
        CreateOptions options;
        options.redefine = true;
        host.snapshot_create("g", record_of(name, parent), options);
    }
    std::string there() const {
        std::string all;
        for (const auto& entry : fs::recursive_directory_iterator(elsewhere.path()))
            all += entry.path().string() +
                   (entry.is_directory() ? "" : ": " + os::read_file(entry.path(), 4096)) + "\n";
        return all;
    }
    std::string names() const {
        std::string all;
        for (const auto& snapshot : host.snapshots("g"))
            all += fmt::format("{}<{} ", snapshot.name, snapshot.parent);
        return all + host.snapshot_current("g");
    }

    Scratch scratch, elsewhere;
    Host host{{.state = scratch / "state", .runtime = scratch / "run"}};
};

using Verb = std::function<void(World&)>;

class SwappedFolder : public testing::TestWithParam<std::pair<const char*, Verb>> {};

} // namespace

TEST_P(SwappedFolder, leads_nowhere_at_any_moment) {
    World first;
    const auto old_names = first.names();
    unsigned effects = 0;
    {
        Swap count(first.scratch.path(), first.elsewhere.path(), 0);
        GetParam().second(first);
        effects = count.effects;
    }
    const auto new_names = first.names();
    ASSERT_GT(effects, 5U);
    unsigned first_at = 0; // the folders at the one or the other half of the effects
    for (const auto* folder :
         {"state/domains", "state/domains/g", "state/domains/g/snapshots", "state/locks"})
        for (unsigned at = 1 + first_at++ % 2; at <= effects; at += 2) {
            SCOPED_TRACE(fmt::format("{} at {}", folder, at));
            World world;
            const auto before = world.there();
            {
                Swap swap(world.scratch / folder, world.elsewhere.path(), at);
                try {
                    GetParam().second(world);
                } catch (const Error&) { // refused, as it may be
                }
            }
            ASSERT_EQ(world.there(), before);
            world.host.recover("");
            const auto names = world.names();
            ASSERT_TRUE(names == old_names || names == new_names) << names;
        }
}

INSTANTIATE_TEST_SUITE_P(
    Verbs, SwappedFolder,
    testing::Values(std::pair<const char*, Verb>{"redefine", [](World& world) { world.redefine("c", "b"); }},
                    std::pair<const char*, Verb>{"rename",
                                                 [](World& world) {
                                                     world.host.snapshot_edit("g", "a", record_of("z", ""),
                                                                              true, false);
                                                 }},
                    std::pair<const char*, Verb>{"forget",
                                                 [](World& world) {
                                                     DeleteOptions options;
                                                     options.metadata = options.children = true;
                                                     world.host.snapshot_delete("g", "a", options);
                                                 }},
                    std::pair<const char*, Verb>{
                        "current", [](World& world) { world.host.set_snapshot_current("g", "b"); }},
                    std::pair<const char*, Verb>{
                        "define", [](World& world) { world.host.define(domain_without_disks, false); }}),
    [](const auto& verb) { return std::string(verb.param.first); });
