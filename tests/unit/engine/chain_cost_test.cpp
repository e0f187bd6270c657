// What a verb costs at the end of a chain of images: so many programs as for a short one, and each file
// looked at a few times. Counted, not timed.
#include "../image/images.h"
#include "records.h"

#include <fmt/format.h>

namespace domsnap {
namespace {

/// Programs that are run, in the effects of one verb.
class Programs : public Hasty {
  public:
    int before(const os::Effect& effect) override {
        run += effect.kind == os::Effect::Kind::run;
        return 0;
    }
    unsigned run = 0;
};

struct Cost {
    unsigned programs = 0, image_opens = 0, record_opens = 0;
};

/// A domain that is off, with one disk and so many external snapshots one above the other.
class LongChain {
  public:
    explicit LongChain(unsigned length) {
        const Hasty hasty;
        os::make_folders(images);
        image::create(images + "/vda.qcow2", "qcow2", 1 << 20);
        std::string xml = domain_without_disks;
        xml.insert(
            xml.find("</domain>"),
            fmt::format("<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
                        "<source file='{}/vda.qcow2'/><target dev='vda' bus='virtio'/></disk></devices>",
                        images));
        host.define(xml, false);
        for (unsigned i = 0; i < length; ++i)
            create(fmt::format("s{}", i));
    }
    void create(const std::string& name) {
        host.snapshot_create("g",
                             fmt::format("<domainsnapshot><name>{}</name><disks><disk name='vda' "
                                         "snapshot='external'/></disks></domainsnapshot>",
                                         name),
                             {});
    }
    template <class Verb>
    Cost cost_of(Verb verb) {
        const Programs programs;
        Opens of_images(images), of_records(scratch / "state/domains/g/snapshots");
        verb();
        return {programs.run, of_images.all(), of_records.all()};
    }

    Scratch scratch;
    std::string images = scratch / "images";
    Host host{{.state = scratch / "state", .runtime = scratch / "run"}};
};

template <class Verb>
void expect_linear(Verb verb) {
    LongChain of_six(6), of_twelve(12);
    const auto six = of_six.cost_of([&] { verb(of_six); });
    const auto twelve = of_twelve.cost_of([&] { verb(of_twelve); });
    EXPECT_EQ(twelve.programs, six.programs);
    EXPECT_LE(twelve.programs, 2U);
    EXPECT_LE(twelve.image_opens, 2 * six.image_opens);
    EXPECT_LE(twelve.image_opens, 6U * 13 + 20);
    EXPECT_LE(twelve.record_opens, 12U + 4);
}

} // namespace

TEST(LongChain, costs_a_create_no_more_programs) {
    expect_linear([](LongChain& chain) { chain.create("more"); });
}

TEST(LongChain, costs_a_revert_no_more_programs) {
    expect_linear([](LongChain& chain) { chain.host.snapshot_revert("g", "s3", {}); });
}

TEST(LongChain, costs_a_merge_no_more_programs) {
    expect_linear([](LongChain& chain) { chain.host.snapshot_delete("g", "s3", {}); });
}

TEST(LongChain, costs_what_looks_at_one_snapshot_its_record) {
    LongChain chain(12);
    const auto of = [&](auto verb) { return chain.cost_of(verb).record_opens; };
    EXPECT_EQ(of([&] { chain.host.snapshot_current("g"); }), 0U);
    EXPECT_EQ(of([&] { chain.host.snapshot_parent("g", "s9"); }), 1U);
    EXPECT_EQ(of([&] { chain.host.snapshot_xml("g", "s9", false); }), 1U);
    EXPECT_EQ(of([&] { chain.host.set_snapshot_current("g", "s9"); }), 1U);
    EXPECT_EQ(of([&] { chain.host.info("g"); }), 0U);
}

/// Others' domains are not even XML: heads are all that is read of them.
TEST(LongChain, takes_of_other_snapshots_their_heads_alone) {
    Scratch scratch;
    const Hasty hasty;
    store::DomainFolder folder(scratch / "state", "g");
    const Host host({.state = scratch / "state", .runtime = scratch / "run"});
    folder.put_definition(domain_without_disks);
    folder.put_record("a", record_of("a", ""));
    folder.put_record("b", record_of("b", "a"));
    folder.put_record("c", record_of("c", "b", "<domain><"));
    folder.put_record("d", record_of("d", "a", "<domain><"));
    Host(host).snapshot_revert("g", "b", {});
    EXPECT_EQ(host.snapshot_current("g"), "b");
    error_of(ErrorCode::invalid_request,
             [&] { Host(host).snapshot_delete("g", "b", {}); }); // c's parent changes
    folder.put_record("c", record_of("c", "b"));
    Host(host).snapshot_delete("g", "b", {});
    EXPECT_EQ(host.snapshot_parent("g", "c"), "a");
    EXPECT_NE(folder.record("c")->find("<domain type='qemu'>"), std::string::npos);
    EXPECT_NE(folder.record("d")->find("<domain><"), std::string::npos);
}

} // namespace domsnap
