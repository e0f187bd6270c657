// A client in memory: calls in, answers out, no socket and no thread.
#pragma once

#include "rpc/client.h"
#include "rpc/failure.h"
#include "rpc/names.h"
#include "rpc/procedures.h"

#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <vector>

namespace domsnap::rpc {

struct Collected : Outlet {
    void send(std::string frame) override {
        FrameReader reader;
        reader.add(frame);
        frames.push_back(reader.next(max_frame).value());
    }
    bool wait_for_room() override { return true; }
    void read_on() override {}
    std::vector<Frame> frames;
};

class Talk {
  public:
    /// The host's folders cannot exist: whatever asks it is refused, and nothing is made.
    explicit Talk(bool read_only = false)
        : service{Host({"/proc/none/state", "/proc/none/run"})}, outlet(std::make_shared<Collected>()),
          client(service, outlet, "client 1", read_only) {}

    Frame raw(int32_t procedure, std::string payload, uint32_t its_program = program::remote) {
        Frame call;
        call.header.program = its_program;
        call.header.procedure = procedure;
        call.header.serial = ++serial_;
        call.payload = std::move(payload);
        EXPECT_TRUE(client.receive(call));
        const auto before = outlet->frames.size();
        client.work(call);
        EXPECT_EQ(outlet->frames.size(), before + 1);
        EXPECT_EQ(outlet->frames.back().header.serial, serial_);
        return outlet->frames.back();
    }
    template <class Arguments>
    Frame call(const char* name, const Arguments& arguments) {
        return raw(procedure_number(name), encode(arguments));
    }
    template <class Result, class Arguments>
    Result ok(const char* name, const Arguments& arguments) {
        const auto answer = call(name, arguments);
        EXPECT_TRUE(answer.header.is(Status::ok)) << name;
        return decode<Result>(answer.payload);
    }
    template <class Arguments>
    RemoteError refused(const char* name, const Arguments& arguments) {
        const auto answer = call(name, arguments);
        EXPECT_TRUE(answer.header.is(Status::error)) << name;
        return decode<RemoteError>(answer.payload);
    }
    void open(uint32_t flags = 0) {
        struct Open {
            OptionalText name = "domsnap:///system";
            uint32_t flags = 0;
            DOMSNAP_WIRE(name, flags)
        };
        ok<Nothing>("connect_open", Open{"domsnap:///system", flags});
    }

    Service service;
    std::shared_ptr<Collected> outlet;
    Client client;

  private:
    uint32_t serial_ = 0;
};

} // namespace domsnap::rpc
