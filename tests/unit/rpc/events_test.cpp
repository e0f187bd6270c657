// Who gets which event, and what it says on the wire; jobs and their numbers.
#include "rpc/lifecycle.h"
#include "talk.h"

namespace domsnap::rpc {
namespace {

const DomainRef one{"one", {1}, 1}, two{"two", {2}, 2};

struct Registration {
    int32_t event = 0;
    std::optional<DomainRef> domain;
    DOMSNAP_WIRE(event, domain)
};
struct LifecycleMessage {
    int32_t callback = 0;
    DomainRef domain;
    int32_t event = 0, detail = 0;
    DOMSNAP_WIRE(callback, domain, event, detail)
};

int32_t listen(Talk& talk, int32_t event, std::optional<DomainRef> domain = {}) {
    return talk.ok<Number>("connect_domain_event_callback_register_any", Registration{event, domain}).value;
}

TEST(Events, ReachThoseWhoAsked) {
    Talk talk;
    talk.open();
    const auto all = listen(talk, 0), only_two = listen(talk, 0, two), reboots = listen(talk, 1);
    talk.outlet->frames.clear();
    talk.service.subscribers.lifecycle(one, {5, 6});
    ASSERT_EQ(talk.outlet->frames.size(), 1u);
    const auto message = decode<LifecycleMessage>(talk.outlet->frames[0].payload);
    EXPECT_EQ(talk.outlet->frames[0].header.procedure, 318);
    EXPECT_TRUE(talk.outlet->frames[0].header.is(Type::message));
    EXPECT_EQ(message.callback, all);
    EXPECT_EQ(message.domain.name, "one");
    EXPECT_EQ(message.event, 5);
    EXPECT_EQ(message.detail, 6);
    talk.service.subscribers.lifecycle(two, {2, 0});
    EXPECT_EQ(talk.outlet->frames.size(), 3u) << "both listeners of two";
    talk.service.subscribers.reboot(one);
    EXPECT_EQ(talk.outlet->frames.back().header.procedure, 319);
    EXPECT_EQ(decode<Number>(talk.outlet->frames.back().payload.substr(0, 4)).value, reboots);
    talk.ok<Nothing>("connect_domain_event_callback_deregister_any", Number{only_two});
    EXPECT_EQ(talk.refused("connect_domain_event_callback_deregister_any", Number{only_two}).code, 1);
}

TEST(Events, OldClients) {
    Talk talk;
    talk.open();
    EXPECT_EQ(talk.ok<Number>("connect_domain_event_register", Nothing{}).value, 1);
    talk.outlet->frames.clear();
    talk.service.subscribers.lifecycle(one, {0, 0});
    ASSERT_EQ(talk.outlet->frames.size(), 1u);
    EXPECT_EQ(talk.outlet->frames[0].header.procedure, 107);
    talk.ok<Number>("connect_domain_event_deregister", Nothing{});
    EXPECT_EQ(talk.service.subscribers.size(), 0u);
}

TEST(Events, NoneIsLeftBehind) {
    Service service{Host({"/proc/none/state", "/proc/none/run"})};
    const auto outlet = std::make_shared<Collected>();
    {
        Client client(service, outlet, "client 1", false);
        service.subscribers.add(outlet, 0, {}, Style::callback);
        EXPECT_EQ(service.subscribers.size(), 1u);
    }
    EXPECT_EQ(service.subscribers.size(), 0u);
}

TEST(Events, UnknownOnesAreRefused) {
    Talk talk;
    talk.open();
    for (const int32_t event : {-1, 27, 1000})
        EXPECT_EQ(talk.refused("connect_domain_event_callback_register_any", Registration{event, {}}).code,
                  1);
    for (int32_t event = 0; event < event_count; ++event)
        EXPECT_GT(listen(talk, event), 0);
}

TEST(Events, ARenameIsTwo) {
    Talk talk;
    talk.open();
    listen(talk, 0);
    talk.outlet->frames.clear();
    publish(talk.service.subscribers,
            {DomainEvent::Kind::renamed, "new", "01000000-0000-0000-0000-000000000000", -1, "old"});
    ASSERT_EQ(talk.outlet->frames.size(), 2u);
    const auto gone = decode<LifecycleMessage>(talk.outlet->frames[0].payload);
    const auto come = decode<LifecycleMessage>(talk.outlet->frames[1].payload);
    EXPECT_EQ(gone.domain.name, "old");
    EXPECT_EQ(gone.event, 1);
    EXPECT_EQ(come.domain.name, "new");
    EXPECT_EQ(come.detail, 2);
}

TEST(Jobs, AreSeenAndStopped) {
    Jobs jobs;
    const Uuid domain{1};
    EXPECT_EQ(jobs.running(domain), nullptr);
    const auto job = jobs.begin(domain, Operation::snapshot);
    const auto control = job->control({});
    control.report("memory", 10, 100);
    control.report("vda", 5, 50);
    const auto stats = jobs.running(domain)->stats(JobType::unbounded);
    EXPECT_EQ(stats.memory_total, 100u);
    EXPECT_EQ(stats.disk_done, 5u);
    EXPECT_FALSE(control.cancelled());
    jobs.running(domain)->abort();
    EXPECT_TRUE(control.cancelled());
    jobs.end(domain, job, JobType::cancelled);
    EXPECT_EQ(jobs.running(domain), nullptr);
    EXPECT_EQ(jobs.completed(domain, true)->type, JobType::cancelled);
    EXPECT_TRUE(jobs.completed(domain, false));
    EXPECT_FALSE(jobs.completed(domain, false)) << "told once";
}

TEST(Jobs, Params) {
    JobStats stats;
    stats.type = JobType::unbounded;
    stats.memory_total = 100;
    stats.memory_done = 30;
    const auto params = stats.params();
    const auto value = [&](const std::string& field) {
        for (const auto& param : params)
            if (param.field == field) return std::get<uint64_t>(param.value);
        return uint64_t{0};
    };
    EXPECT_EQ(value("data_total"), 100u);
    EXPECT_EQ(value("memory_remaining"), 70u);
}

} // namespace
} // namespace domsnap::rpc
