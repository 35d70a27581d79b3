/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SHUNT_82576_H
#define SHUNT_82576_H

#include <stdint.h>

/*
 * Facts of the Intel 82576: registers, their fields, and descriptors, for whoever drives one and
 * for whoever models one. No code, and not installed.
 *
 *   BAR 0  registers   CTRL ... 0x0000, interrupts 0x1500, statistics 0x4000, filters 0x5000,
 *                      receive queue n at 0xC000 + 0x40 n, transmit queue n at 0xE000 + 0x40 n
 *   BAR 3  MSI-X       table and pending bits
 *   memory             rings of 16-byte descriptors, little endian
 *
 * Sections are those of the Intel 82576EB Gigabit Ethernet Controller Datasheet; names are its
 * register names. Offsets and bits are checked against the register headers of Linux's igb driver
 * and of QEMU's igb model. Three kinds of knowledge are told apart: no mark means datasheet,
 * "QEMU:" what only that model does, "Silicon:" what was reported of hardware.
 */

#define SHUNT_82576_VENDOR       0x8086u
#define SHUNT_82576_DEVICE       0x10C9u /* copper, two ports; QEMU: the same */
#define SHUNT_82576_DEVICE_QUAD  0x10E8u /* copper, four ports */
#define SHUNT_82576_DEVICE_NS    0x150Au /* copper, without security */
#define SHUNT_82576_DEVICE_ET2   0x1526u /* copper, four ports, ET2 */
#define SHUNT_82576_DEVICE_VF    0x10CAu /* virtual function of any of them */

#define SHUNT_82576_BAR0_SIZE    0x20000u
#define SHUNT_82576_QUEUES       16u   /* of each direction, 7.1 and 7.2 */
#define SHUNT_82576_FRAME_MAX    9728u /* bytes, FCS included, 7.1 */
#define SHUNT_82576_FCS_SIZE     4u
#define SHUNT_82576_RX_FIFO_SIZE 0x10000u /* RXPBS default, 8.3 */

/* ---- General, 8.2 ---- */

#define SHUNT_82576_CTRL                     0x0000u /* device control */
#define SHUNT_82576_CTRL_FD                  (1u << 0)
#define SHUNT_82576_CTRL_GIO_MASTER_DISABLE  (1u << 2) /* 5.2: no new DMA requests */
#define SHUNT_82576_CTRL_SLU                 (1u << 6) /* set link up */
#define SHUNT_82576_CTRL_SPEED_1000          (2u << 8)
#define SHUNT_82576_CTRL_FRCSPD              (1u << 11)
#define SHUNT_82576_CTRL_FRCDPX              (1u << 12)
#define SHUNT_82576_CTRL_ADVD3WUC            (1u << 20)
#define SHUNT_82576_CTRL_RST                 (1u << 26) /* port reset, clears itself */
#define SHUNT_82576_CTRL_RFCE                (1u << 27)
#define SHUNT_82576_CTRL_TFCE                (1u << 28)
#define SHUNT_82576_CTRL_VME                 (1u << 30) /* strip VLAN tags */
#define SHUNT_82576_CTRL_PHY_RST             (1u << 31)

#define SHUNT_82576_STATUS                   0x0008u /* device status, read only */
#define SHUNT_82576_STATUS_FD                (1u << 0)
#define SHUNT_82576_STATUS_LU                (1u << 1) /* QEMU: after its autonegotiation timer */
#define SHUNT_82576_STATUS_LAN_ID_SHIFT      2
#define SHUNT_82576_STATUS_LAN_ID_MASK       (3u << 2)
#define SHUNT_82576_STATUS_TXOFF             (1u << 4)
#define SHUNT_82576_STATUS_SPEED_MASK        (3u << 6)
#define SHUNT_82576_STATUS_SPEED_10          (0u << 6)
#define SHUNT_82576_STATUS_SPEED_100         (1u << 6)
#define SHUNT_82576_STATUS_SPEED_1000        (2u << 6)
#define SHUNT_82576_STATUS_PHYRA             (1u << 10) /* PHY was reset */
#define SHUNT_82576_STATUS_GIO_MASTER_ENABLE (1u << 19) /* 5.2: 0 when all requests are done */

#define SHUNT_82576_CTRL_EXT                 0x0018u    /* extended device control */
#define SHUNT_82576_CTRL_EXT_PFRSTD          (1u << 14) /* PF reset done: VFs may start */
#define SHUNT_82576_CTRL_EXT_LINK_MODE_MASK  (3u << 22) /* 0: internal copper PHY */
#define SHUNT_82576_CTRL_EXT_DRV_LOAD        (1u << 28) /* tells firmware that a driver runs */

#define SHUNT_82576_MDIC                     0x0020u /* PHY register access */
#define SHUNT_82576_MDIC_DATA_MASK           0xFFFFu
#define SHUNT_82576_MDIC_REGADD_SHIFT        16
#define SHUNT_82576_MDIC_REGADD_MASK         (0x1Fu << 16)
#define SHUNT_82576_MDIC_PHYADD_SHIFT        21
#define SHUNT_82576_MDIC_PHYADD_MASK         (0x1Fu << 21)
#define SHUNT_82576_MDIC_PHYADD_OWN          (1u << 21) /* address of the internal PHY */
#define SHUNT_82576_MDIC_OP_WRITE            (1u << 26)
#define SHUNT_82576_MDIC_OP_READ             (2u << 26)
#define SHUNT_82576_MDIC_OP_MASK             (3u << 26)
#define SHUNT_82576_MDIC_READY               (1u << 28)
#define SHUNT_82576_MDIC_INTERRUPT           (1u << 29)
#define SHUNT_82576_MDIC_ERROR               (1u << 30)

#define SHUNT_82576_FCAL                     0x0028u /* flow control address and type, 8.5 */
#define SHUNT_82576_FCAH                     0x002Cu
#define SHUNT_82576_FCT                      0x0030u
#define SHUNT_82576_VET                      0x0038u /* VLAN ether types; the one in use: 15:0 */
#define SHUNT_82576_VLAN_TAG                 4u      /* bytes */
#define SHUNT_82576_VLAN_ID_MASK             0xFFFu
#define SHUNT_82576_FCTTV                    0x0170u
#define SHUNT_82576_LEDCTL                   0x0E00u

/* PHY registers of clause 22 (IEEE 802.3, 22.2.4), through MDIC */
#define SHUNT_82576_PHY_CONTROL                   0u
#define SHUNT_82576_PHY_CONTROL_RESET             0x8000u
#define SHUNT_82576_PHY_CONTROL_AUTONEGOTIATE     0x1000u
#define SHUNT_82576_PHY_CONTROL_POWER_DOWN        0x0800u
#define SHUNT_82576_PHY_CONTROL_RESTART           0x0200u
#define SHUNT_82576_PHY_CONTROL_FULL_DUPLEX       0x0100u
#define SHUNT_82576_PHY_CONTROL_SPEED_1000        0x0040u
#define SHUNT_82576_PHY_STATUS                    1u
#define SHUNT_82576_PHY_STATUS_CAPABILITIES       0x7949u
#define SHUNT_82576_PHY_STATUS_AUTONEGOTIATE_DONE 0x0020u
#define SHUNT_82576_PHY_STATUS_LINK               0x0004u
#define SHUNT_82576_PHY_ID1                       2u
#define SHUNT_82576_PHY_ID1_VALUE                 0x02A8u
#define SHUNT_82576_PHY_ID2                       3u
#define SHUNT_82576_PHY_ID2_VALUE                 0x0391u
#define SHUNT_82576_PHY_ADVERTISE                 4u
#define SHUNT_82576_PHY_PARTNER                   5u
#define SHUNT_82576_PHY_CONTROL_1000              9u
#define SHUNT_82576_PHY_STATUS_1000               10u
#define SHUNT_82576_PHY_REGISTERS                 32u

/* ---- Packet buffers, 8.3 ---- */

#define SHUNT_82576_RXPBS         0x2404u
#define SHUNT_82576_RXPBS_DEFAULT 0x40u /* KiB */
#define SHUNT_82576_TXPBS         0x3404u
#define SHUNT_82576_TXPBS_DEFAULT 0x28u /* KiB */

/* ---- EEPROM, 8.4 ---- */

#define SHUNT_82576_EEC                0x0010u
#define SHUNT_82576_EEC_REQ            (1u << 6)
#define SHUNT_82576_EEC_GNT            (1u << 7)
#define SHUNT_82576_EEC_PRES           (1u << 8)
#define SHUNT_82576_EEC_AUTO_RD        (1u << 9) /* read of the EEPROM after reset is done */
#define SHUNT_82576_EEC_SIZE_EX_SHIFT  11
#define SHUNT_82576_EERD               0x0014u
#define SHUNT_82576_EERD_START         (1u << 0)
#define SHUNT_82576_EERD_DONE          (1u << 1)
#define SHUNT_82576_EERD_ADDR_SHIFT    2
#define SHUNT_82576_EERD_ADDR_MASK     (0x3FFFu << 2)
#define SHUNT_82576_EERD_DATA_SHIFT    16
#define SHUNT_82576_EEMNGCTL           0x1010u
#define SHUNT_82576_EEMNGCTL_CFG_DONE0 (1u << 18) /* port 0 configured after reset */
#define SHUNT_82576_EEMNGCTL_CFG_DONE1 (1u << 19)

/* EEPROM words, 6.1 */
#define SHUNT_82576_EEPROM_MAC         0x00u /* three words, first byte lowest */
#define SHUNT_82576_EEPROM_VERSION     0x05u /* major 15:12, minor 11:4, image 3:0 */
#define SHUNT_82576_EEPROM_DEVICE      0x0Du
#define SHUNT_82576_EEPROM_VENDOR      0x0Eu
#define SHUNT_82576_EEPROM_CHECKSUM    0x3Fu /* words 0x00 to 0x3F add up to ... */
#define SHUNT_82576_EEPROM_CHECKSUM_OF 0xBABAu
#define SHUNT_82576_EEPROM_WORDS       0x40u

/* ---- PCIe and semaphores, 8.6 and 8.7 ---- */

#define SHUNT_82576_GCR                 0x5B00u
#define SHUNT_82576_FACTPS              0x5B30u
#define SHUNT_82576_SWSM                0x5B50u
#define SHUNT_82576_SWSM_SMBI           (1u << 0) /* reading 0 takes it; write 0 to give it back */
#define SHUNT_82576_SWSM_SWESMBI        (1u << 1) /* write 1, own it if it reads 1 */
#define SHUNT_82576_FWSM                0x5B54u
#define SHUNT_82576_SW_FW_SYNC          0x5B5Cu
#define SHUNT_82576_SW_FW_SYNC_EEPROM   (1u << 0)
#define SHUNT_82576_SW_FW_SYNC_PHY0     (1u << 1)
#define SHUNT_82576_SW_FW_SYNC_PHY1     (1u << 2)
#define SHUNT_82576_SW_FW_SYNC_FW_SHIFT 16 /* firmware's half */

/* ---- Interrupts, 8.8 ---- */

#define SHUNT_82576_ICR                   0x00C0u /* causes; clears on read, write 1 to clear */
#define SHUNT_82576_ICS                   0x00C8u
#define SHUNT_82576_IMS                   0x00D0u
#define SHUNT_82576_IMC                   0x00D8u
#define SHUNT_82576_IAM                   0x00E0u
#define SHUNT_82576_ICR_TXDW              (1u << 0)
#define SHUNT_82576_ICR_LSC               (1u << 2) /* link status change */
#define SHUNT_82576_ICR_RXDW              (1u << 7)

#define SHUNT_82576_GPIE                  0x1514u
#define SHUNT_82576_GPIE_NSICR            (1u << 0)
#define SHUNT_82576_GPIE_MULTIPLE_MSIX    (1u << 4)
#define SHUNT_82576_GPIE_EIAME            (1u << 30)
#define SHUNT_82576_GPIE_PBA              (1u << 31)
#define SHUNT_82576_EICS                  0x1520u
#define SHUNT_82576_EIMS                  0x1524u
#define SHUNT_82576_EIMC                  0x1528u
#define SHUNT_82576_EIAC                  0x152Cu
#define SHUNT_82576_EIAM                  0x1530u
#define SHUNT_82576_EICR                  0x1580u
#define SHUNT_82576_EICR_MASK             0x01FFFFFFu /* with MSI-X: one bit a vector, 25 of them */
#define SHUNT_82576_EITR(vector)          (0x1680u + 4u * (vector))
#define SHUNT_82576_IVAR(n)               (0x1700u + 4u * (n)) /* queues n and n + 8, n below 8 */
#define SHUNT_82576_IVAR_MISC             0x1740u
#define SHUNT_82576_IVAR_VALID            0x80u /* in each byte; vector in bits 4:0 */
#define SHUNT_82576_IVAR_VECTOR           0x1Fu
#define SHUNT_82576_IVAR_RX_SHIFT(queue)  ((queue) < 8u ? 0u : 16u)
#define SHUNT_82576_IVAR_TX_SHIFT(queue)  ((queue) < 8u ? 8u : 24u)
#define SHUNT_82576_IVAR_MISC_OTHER_SHIFT 8u

/* ---- Receive, 8.10 ---- */

#define SHUNT_82576_RCTL             0x0100u
#define SHUNT_82576_RCTL_EN          (1u << 1)
#define SHUNT_82576_RCTL_SBP         (1u << 2)  /* store bad packets */
#define SHUNT_82576_RCTL_UPE         (1u << 3)  /* unicast promiscuous */
#define SHUNT_82576_RCTL_MPE         (1u << 4)  /* multicast promiscuous */
#define SHUNT_82576_RCTL_LPE         (1u << 5)  /* long packets, up to RLPML */
#define SHUNT_82576_RCTL_LBM_MAC     (1u << 6)  /* QEMU: works, its PHY loopback does not */
#define SHUNT_82576_RCTL_MO_SHIFT    12         /* which address bits index MTA */
#define SHUNT_82576_RCTL_BAM         (1u << 15) /* accept broadcast */
#define SHUNT_82576_RCTL_VFE         (1u << 18) /* VLAN filter */
#define SHUNT_82576_RCTL_SECRC       (1u << 26) /* strip the FCS */

#define SHUNT_82576_RXCSUM           0x5000u
#define SHUNT_82576_RXCSUM_IPOFLD    (1u << 8)  /* check IPv4 header checksums */
#define SHUNT_82576_RXCSUM_TUOFLD    (1u << 9)  /* check TCP and UDP checksums */
#define SHUNT_82576_RXCSUM_PCSD      (1u << 13) /* RSS hash instead of packet checksum */
#define SHUNT_82576_RLPML            0x5004u    /* longest packet with RCTL.LPE, FCS included */
#define SHUNT_82576_RLPML_DEFAULT    0x2600u
#define SHUNT_82576_RFCTL            0x5008u
#define SHUNT_82576_MTA(n)           (0x5200u + 4u * (n)) /* 128 registers, a bit a hash value */
#define SHUNT_82576_MTA_SIZE         128u
#define SHUNT_82576_ADDRESSES        24u
#define SHUNT_82576_RAL(n)           (((n) < 16u ? 0x5400u : 0x54E0u - 8u * 16u) + 8u * (n))
#define SHUNT_82576_RAH(n)           (SHUNT_82576_RAL(n) + 4u)
#define SHUNT_82576_RAH_AV           (1u << 31) /* address valid */
#define SHUNT_82576_PSRTYPE(n)       (0x5480u + 4u * (n))
#define SHUNT_82576_VFTA(n)          (0x5600u + 4u * (n))
#define SHUNT_82576_VFTA_SIZE        128u
#define SHUNT_82576_MRQC             0x5818u /* multiple receive queues: 0 = queue 0 only */
#define SHUNT_82576_MRQC_MASK        7u
#define SHUNT_82576_MRQC_RSS         2u
#define SHUNT_82576_MRQC_TCP_IPV4    (1u << 16) /* what is hashed */
#define SHUNT_82576_MRQC_IPV4        (1u << 17)
#define SHUNT_82576_MRQC_TCP_IPV6_EX (1u << 18)
#define SHUNT_82576_MRQC_IPV6_EX     (1u << 19)
#define SHUNT_82576_MRQC_IPV6        (1u << 20)
#define SHUNT_82576_MRQC_TCP_IPV6    (1u << 21)
#define SHUNT_82576_MRQC_UDP_IPV4    (1u << 22)
#define SHUNT_82576_MRQC_UDP_IPV6    (1u << 23)
#define SHUNT_82576_MRQC_UDP_IPV6_EX (1u << 24)
#define SHUNT_82576_VT_CTL           0x581Cu
#define SHUNT_82576_RETA(n)          (0x5C00u + 4u * (n)) /* 32 registers, a byte an entry */
#define SHUNT_82576_RETA_ENTRIES     128u
#define SHUNT_82576_RETA_QUEUE       0xFu
#define SHUNT_82576_RSSRK(n)         (0x5C80u + 4u * (n)) /* 10 registers, first byte lowest */
#define SHUNT_82576_RSSRK_SIZE       40u                  /* bytes */

/* Longest packet without RCTL.LPE, FCS included: with one VLAN tag 1522 */
#define SHUNT_82576_FRAME_STANDARD 1518u
#define SHUNT_82576_FRAME_MIN      64u

/* Receive queue n. Silicon and QEMU: queues 0 to 3 also answer at 0x2800 + 0x100 n. */
#define SHUNT_82576_RX_QUEUE(n)              (0xC000u + 0x40u * (n))
#define SHUNT_82576_RDBAL(n)                 (0xC000u + 0x40u * (n)) /* 128-byte aligned */
#define SHUNT_82576_RDBAH(n)                 (0xC004u + 0x40u * (n))
#define SHUNT_82576_RDLEN(n)                 (0xC008u + 0x40u * (n)) /* bytes, multiple of 128 */
#define SHUNT_82576_RDLEN_MASK               0xFFF80u
#define SHUNT_82576_SRRCTL(n)                (0xC00Cu + 0x40u * (n))
#define SHUNT_82576_RDH(n)                   (0xC010u + 0x40u * (n))
#define SHUNT_82576_RXCTL(n)                 (0xC014u + 0x40u * (n)) /* DCA, relaxed ordering, 8.13 */
#define SHUNT_82576_RDT(n)                   (0xC018u + 0x40u * (n)) /* doorbell */
#define SHUNT_82576_RXDCTL(n)                (0xC028u + 0x40u * (n))
#define SHUNT_82576_RQDPC(n)                 (0xC030u + 0x40u * (n)) /* packets dropped, clears on read */

#define SHUNT_82576_SRRCTL_BSIZEPACKET_UNIT  1024u /* bits 6:0, KiB */
#define SHUNT_82576_SRRCTL_BSIZEPACKET_MASK  0x7Fu
#define SHUNT_82576_SRRCTL_BSIZEHEADER_SHIFT 8
#define SHUNT_82576_SRRCTL_DESCTYPE_MASK     (7u << 25)
#define SHUNT_82576_SRRCTL_DESCTYPE_LEGACY   (0u << 25)
#define SHUNT_82576_SRRCTL_DESCTYPE_ADVANCED (1u << 25) /* one buffer */
#define SHUNT_82576_SRRCTL_DROP_EN           (1u << 31) /* drop when there is no descriptor */

#define SHUNT_82576_RXDCTL_PTHRESH_SHIFT     0          /* prefetch threshold */
#define SHUNT_82576_RXDCTL_HTHRESH_SHIFT     8          /* host threshold */
#define SHUNT_82576_RXDCTL_WTHRESH_SHIFT     16         /* write-back threshold */
#define SHUNT_82576_RXDCTL_ENABLE            (1u << 25) /* reads back what the queue is doing */
#define SHUNT_82576_RXDCTL_SWFLUSH           (1u << 26)

/* ---- Transmit, 8.12 ---- */

#define SHUNT_82576_TCTL           0x0400u
#define SHUNT_82576_TCTL_EN        (1u << 1)
#define SHUNT_82576_TCTL_PSP       (1u << 3) /* pad short packets */
#define SHUNT_82576_TCTL_CT_SHIFT  4
#define SHUNT_82576_TCTL_CT_MASK   (0xFFu << 4)
#define SHUNT_82576_TCTL_BST_SHIFT 12
#define SHUNT_82576_TCTL_BST_MASK  (0x3FFu << 12)
#define SHUNT_82576_TCTL_RTLC      (1u << 24)
#define SHUNT_82576_TCTL_EXT       0x0404u
#define SHUNT_82576_TIPG           0x0410u
#define SHUNT_82576_TIPG_DEFAULT   0x00601008u
#define SHUNT_82576_DTXCTL         0x3590u

/* Transmit queue n. Silicon and QEMU: queues 0 to 3 also answer at 0x3800 + 0x100 n. */
#define SHUNT_82576_TX_QUEUE(n)          (0xE000u + 0x40u * (n))
#define SHUNT_82576_TDBAL(n)             (0xE000u + 0x40u * (n)) /* 128-byte aligned */
#define SHUNT_82576_TDBAH(n)             (0xE004u + 0x40u * (n))
#define SHUNT_82576_TDLEN(n)             (0xE008u + 0x40u * (n)) /* bytes, multiple of 128 */
#define SHUNT_82576_TDLEN_MASK           0xFFF80u
#define SHUNT_82576_TDH(n)               (0xE010u + 0x40u * (n))
#define SHUNT_82576_TXCTL(n)             (0xE014u + 0x40u * (n)) /* DCA, relaxed ordering, 8.13 */
#define SHUNT_82576_TDT(n)               (0xE018u + 0x40u * (n)) /* doorbell */
#define SHUNT_82576_TXDCTL(n)            (0xE028u + 0x40u * (n))
#define SHUNT_82576_TDWBAL(n)            (0xE038u + 0x40u * (n)) /* head write-back address, 8.12 */
#define SHUNT_82576_TDWBAH(n)            (0xE03Cu + 0x40u * (n))
#define SHUNT_82576_TDWBAL_HEAD_WB_EN    (1u << 0)

#define SHUNT_82576_TXDCTL_PTHRESH_SHIFT 0
#define SHUNT_82576_TXDCTL_HTHRESH_SHIFT 8
#define SHUNT_82576_TXDCTL_WTHRESH_SHIFT 16
#define SHUNT_82576_TXDCTL_ENABLE        (1u << 25)
#define SHUNT_82576_TXDCTL_SWFLSH        (1u << 26)
#define SHUNT_82576_TXDCTL_PRIORITY      (1u << 27)

/* Second place of the registers of queues 0 to 3 */
#define SHUNT_82576_RX_QUEUE_ALIAS       0x2800u
#define SHUNT_82576_TX_QUEUE_ALIAS       0x3800u
#define SHUNT_82576_QUEUE_ALIAS_STRIDE   0x100u
#define SHUNT_82576_QUEUE_ALIASES        4u
#define SHUNT_82576_QUEUE_REGISTERS_SIZE 0x40u

/* ---- Statistics, 8.18: all clear on read; 64-bit pairs clear with the high half ---- */

#define SHUNT_82576_STATISTICS     0x4000u
#define SHUNT_82576_STATISTICS_END 0x4100u
#define SHUNT_82576_CRCERRS        0x4000u
#define SHUNT_82576_ALGNERRC       0x4004u
#define SHUNT_82576_SYMERRS        0x4008u
#define SHUNT_82576_RXERRC         0x400Cu
#define SHUNT_82576_MPC            0x4010u /* missed: receive FIFO full */
#define SHUNT_82576_SCC            0x4014u
#define SHUNT_82576_ECOL           0x4018u
#define SHUNT_82576_MCC            0x401Cu
#define SHUNT_82576_LATECOL        0x4020u
#define SHUNT_82576_COLC           0x4028u
#define SHUNT_82576_DC             0x4030u
#define SHUNT_82576_TNCRS          0x4034u
#define SHUNT_82576_RLEC           0x4040u
#define SHUNT_82576_XONRXC         0x4048u
#define SHUNT_82576_XONTXC         0x404Cu
#define SHUNT_82576_XOFFRXC        0x4050u
#define SHUNT_82576_XOFFTXC        0x4054u
#define SHUNT_82576_FCRUC          0x4058u
#define SHUNT_82576_PRC64          0x405Cu /* received by size: 64, 65-127, ... 1024 and more */
#define SHUNT_82576_PRC127         0x4060u
#define SHUNT_82576_PRC255         0x4064u
#define SHUNT_82576_PRC511         0x4068u
#define SHUNT_82576_PRC1023        0x406Cu
#define SHUNT_82576_PRC1522        0x4070u
#define SHUNT_82576_GPRC           0x4074u /* good packets received, past the filters */
#define SHUNT_82576_BPRC           0x4078u
#define SHUNT_82576_MPRC           0x407Cu
#define SHUNT_82576_GPTC           0x4080u /* good packets transmitted */
#define SHUNT_82576_GORCL          0x4088u /* octets count from address to FCS */
#define SHUNT_82576_GORCH          0x408Cu
#define SHUNT_82576_GOTCL          0x4090u
#define SHUNT_82576_GOTCH          0x4094u
#define SHUNT_82576_RNBC           0x40A0u /* arrived when no descriptor was available */
#define SHUNT_82576_RUC            0x40A4u /* undersize */
#define SHUNT_82576_RFC            0x40A8u
#define SHUNT_82576_ROC            0x40ACu /* oversize */
#define SHUNT_82576_RJC            0x40B0u
#define SHUNT_82576_TORL           0x40C0u
#define SHUNT_82576_TORH           0x40C4u
#define SHUNT_82576_TOTL           0x40C8u
#define SHUNT_82576_TOTH           0x40CCu
#define SHUNT_82576_TPR            0x40D0u /* total packets received */
#define SHUNT_82576_TPT            0x40D4u /* total packets transmitted */
#define SHUNT_82576_PTC64          0x40D8u
#define SHUNT_82576_PTC127         0x40DCu
#define SHUNT_82576_PTC255         0x40E0u
#define SHUNT_82576_PTC511         0x40E4u
#define SHUNT_82576_PTC1023        0x40E8u
#define SHUNT_82576_PTC1522        0x40ECu
#define SHUNT_82576_MPTC           0x40F0u
#define SHUNT_82576_BPTC           0x40F4u
#define SHUNT_82576_TSCTC          0x40F8u /* frames given for TCP segmentation */

/* ---- Receive descriptors, advanced, 7.1.5 ---- */

/** As software writes it (read), and as the device writes it back. Little endian. */
union shunt_82576_rx_descriptor {
	struct {
		uint64_t packet_address; /**< IOVA of the buffer */
		uint64_t header_address; /**< bit 0 must be 0: it becomes DD */
	} read;
	struct {
		uint32_t packet_info;  /**< RSS type 3:0, packet type 16:4 */
		uint32_t rss_hash;     /**< or IP identification and packet checksum */
		uint32_t status_error; /**< SHUNT_82576_RXD_... */
		uint16_t length;       /**< bytes in this buffer */
		uint16_t vlan;
	} writeback;
	uint64_t quad[2]; /**< quad[1] holds DD: the device stores it last */
};

#define SHUNT_82576_RXD_DD                (1u << 0) /* descriptor done */
#define SHUNT_82576_RXD_EOP               (1u << 1) /* end of packet */
#define SHUNT_82576_RXD_VP                (1u << 3) /* VLAN tag stripped into vlan */
#define SHUNT_82576_RXD_UDPCS             (1u << 4) /* UDP checksum was checked */
#define SHUNT_82576_RXD_L4CS              (1u << 5) /* TCP or UDP checksum was checked */
#define SHUNT_82576_RXD_IPCS              (1u << 6) /* IPv4 header checksum was checked */
#define SHUNT_82576_RXD_PIF               (1u << 7) /* passed an inexact filter */
#define SHUNT_82576_RXD_L4E               (1u << 29)
#define SHUNT_82576_RXD_IPE               (1u << 30)
#define SHUNT_82576_RXD_RXE               (1u << 31)

#define SHUNT_82576_RXD_RSS_TYPE          0xFu /* in packet_info: what was hashed, 7.1.1.7 */
#define SHUNT_82576_RXD_RSS_NONE          0u
#define SHUNT_82576_RXD_RSS_TCP_IPV4      1u
#define SHUNT_82576_RXD_RSS_IPV4          2u
#define SHUNT_82576_RXD_RSS_TCP_IPV6      3u
#define SHUNT_82576_RXD_RSS_IPV6_EX       4u
#define SHUNT_82576_RXD_RSS_IPV6          5u
#define SHUNT_82576_RXD_RSS_TCP_IPV6_EX   6u
#define SHUNT_82576_RXD_RSS_UDP_IPV4      7u
#define SHUNT_82576_RXD_RSS_UDP_IPV6      8u
#define SHUNT_82576_RXD_RSS_UDP_IPV6_EX   9u
#define SHUNT_82576_RXD_PACKET_TYPE_SHIFT 4 /* in packet_info */
#define SHUNT_82576_RXD_PACKET_IPV4       (1u << 0)
#define SHUNT_82576_RXD_PACKET_IPV4_OPT   (1u << 1)
#define SHUNT_82576_RXD_PACKET_IPV6       (1u << 2)
#define SHUNT_82576_RXD_PACKET_IPV6_EXT   (1u << 3)
#define SHUNT_82576_RXD_PACKET_TCP        (1u << 4)
#define SHUNT_82576_RXD_PACKET_UDP        (1u << 5)
#define SHUNT_82576_RXD_PACKET_SCTP       (1u << 6)

/* ---- Transmit descriptors, 7.2.2 ---- */

/** Data descriptor (advanced or legacy), context descriptor, and what is written back. */
union shunt_82576_tx_descriptor {
	struct {
		uint64_t address;        /**< IOVA of the data */
		uint32_t command_length; /**< DTALEN 15:0, DTYP 23:20, DCMD 31:24 */
		uint32_t options;        /**< STA 3:0, IDX 6:4, CC 7, POPTS 13:8, PAYLEN 31:14 */
	} read;
	struct {
		uint32_t vlan_lengths; /**< IPLEN 8:0, MACLEN 15:9, VLAN 31:16 */
		uint32_t reserved;
		uint32_t command_type;  /**< TUCMD 19:9, DTYP 23:20, DCMD 31:24 */
		uint32_t mss_l4_length; /**< IDX 6:4, L4LEN 15:8, MSS 31:16 */
	} context;
	struct {
		uint64_t reserved;
		uint32_t next_sequence;
		uint32_t status; /**< bit 0: DD; the rest is undefined */
	} writeback;
	uint64_t quad[2]; /**< quad[1] holds DD in bit 32 */
};

#define SHUNT_82576_TXD_LENGTH_MASK   0xFFFFu
#define SHUNT_82576_TXD_DTYP_MASK     (0xFu << 20)
#define SHUNT_82576_TXD_DTYP_CONTEXT  (2u << 20)
#define SHUNT_82576_TXD_DTYP_DATA     (3u << 20)
#define SHUNT_82576_TXD_EOP           (1u << 24)
#define SHUNT_82576_TXD_IFCS          (1u << 25) /* the device adds the FCS */
#define SHUNT_82576_TXD_IC            (1u << 26) /* legacy: insert a checksum, CSO and CSS */
#define SHUNT_82576_TXD_RS            (1u << 27) /* report status: write DD back */
#define SHUNT_82576_TXD_DEXT          (1u << 29) /* advanced format */
#define SHUNT_82576_TXD_VLE           (1u << 30) /* insert a VLAN tag */
#define SHUNT_82576_TXD_TSE           (1u << 31) /* TCP segmentation */
#define SHUNT_82576_TXD_DD            (1u << 0)  /* in status */
#define SHUNT_82576_TXD_POPTS_IXSM    (1u << 8)  /* insert the IPv4 header checksum */
#define SHUNT_82576_TXD_POPTS_TXSM    (1u << 9)  /* insert the TCP or UDP checksum */
#define SHUNT_82576_TXD_PAYLEN_SHIFT  14         /* with TSE: without the headers */
#define SHUNT_82576_TXD_CONTEXT_SHIFT 4          /* IDX: which of the two contexts of a queue */

#define SHUNT_82576_TXC_CONTEXTS      2u
#define SHUNT_82576_TXC_IPLEN_MASK    0x1FFu /* in vlan_lengths */
#define SHUNT_82576_TXC_MACLEN_SHIFT  9
#define SHUNT_82576_TXC_MACLEN_MASK   0x7Fu
#define SHUNT_82576_TXC_VLAN_SHIFT    16
#define SHUNT_82576_TXC_IPV4          (1u << 10) /* in command_type */
#define SHUNT_82576_TXC_L4T_MASK      (3u << 11)
#define SHUNT_82576_TXC_L4T_UDP       (0u << 11)
#define SHUNT_82576_TXC_L4T_TCP       (1u << 11)
#define SHUNT_82576_TXC_L4T_SCTP      (2u << 11)
#define SHUNT_82576_TXC_L4LEN_SHIFT   8 /* in mss_l4_length */
#define SHUNT_82576_TXC_L4LEN_MASK    0xFFu
#define SHUNT_82576_TXC_MSS_SHIFT     16

_Static_assert(sizeof(union shunt_82576_rx_descriptor) == 16, "receive descriptor is 16 bytes");
_Static_assert(sizeof(union shunt_82576_tx_descriptor) == 16, "transmit descriptor is 16 bytes");

#endif
