import Testing
import VidCluster
import VidTestSupport

@Suite struct MessageTests {
    /// Sizes around the first part of a message.
    @Test(arguments: [0, 1, 4087, 4088, 4089, 100_000]) func messagesOfAnySizeArrive(size: Int) async throws {
        let received = try await LocalCluster.run(2) { cluster in
            let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            if cluster.isLeader {
                try await cluster.send(message, to: 1, on: .items)
                return message
            }
            return try await cluster.receive(from: 0, on: .items)
        }
        #expect(received[0] == received[1])
        #expect(received[1].count == size)
    }

    @Test(arguments: 1...9) func allRanksGetWhatRank0Has(size: Int) async throws {
        let received = try await LocalCluster.run(size) { try await $0.broadcast($0.isLeader ? [3, 1, 4] : [Int]()) }
        #expect(received == [[Int]](repeating: [3, 1, 4], count: size))
        let gathered = try await LocalCluster.run(size) { try await $0.gather([UInt8($0.rank)]) }
        #expect(gathered[0] == (0..<size).map { [UInt8($0)] })
        #expect(gathered.dropFirst().allSatisfy { $0 == nil })
    }

    @Test func oneRankIsEnough() async throws {
        for speaker in 0..<4 {
            #expect(try await LocalCluster.run(4) { try await $0.any($0.rank == speaker) } == [true, true, true, true])
        }
        #expect(try await LocalCluster.run(4) { try await $0.any(false) } == [false, false, false, false])
    }

    @Test func launchersTellRankAndSize() {
        func start(_ environment: [String: String]) -> [Int]? { ClusterStart(environment).map { [$0.rank, $0.size] } }
        #expect(start([:]) == nil)
        #expect(start(["OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4"]) == [2, 4])
        #expect(start(["PMI_RANK": "0", "PMI_SIZE": "2"]) == [0, 2])
        #expect(start(["SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "3"]) == [1, 3])
        // A batch script is not started by srun.
        #expect(start(["SLURM_PROCID": "0", "SLURM_NTASKS": "3"]) == nil)
        #expect(start(["OMPI_COMM_WORLD_RANK": "4", "OMPI_COMM_WORLD_SIZE": "4"]) == nil)
        #expect(start(["PMI_RANK": "x", "PMI_SIZE": "2"]) == nil)
    }
}
