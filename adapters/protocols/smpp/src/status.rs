//! `command_status`: what the other side thinks of a request. SMPP 3.4 §5.1.3, 5.0 §4.7.6

/// No error.
pub const OK: u32 = 0x00;
/// The length of a PDU is wrong.
pub const INVALID_LENGTH: u32 = 0x02;
/// A command that is not known.
pub const INVALID_COMMAND: u32 = 0x03;
/// Not in this state of the bind.
pub const INVALID_BIND_STATUS: u32 = 0x04;
/// Bound already.
pub const ALREADY_BOUND: u32 = 0x05;
/// Out of order.
pub const SYSTEM_ERROR: u32 = 0x08;
/// The bind failed, for no reason that is given.
pub const BIND_FAILED: u32 = 0x0d;
/// A wrong password.
pub const INVALID_PASSWORD: u32 = 0x0e;
/// A wrong `system_id`.
pub const INVALID_SYSTEM_ID: u32 = 0x0f;
/// The SMSC's queue is full.
pub const QUEUE_FULL: u32 = 0x14;
/// Too many messages.
pub const THROTTLED: u32 = 0x58;
/// We cannot take it now: come again.
pub const TEMPORARY: u32 = 0x64;
/// We will never take it.
pub const PERMANENT: u32 = 0x65;

/// The name that the specification gives it; the number alone where it gives none.
pub fn name(status: u32) -> String {
    let known = NAMES.iter().find(|(known, _)| *known == status);
    known.map_or_else(
        || format!("0x{status:02X}"),
        |(_, name)| format!("0x{status:02X} ESME_{name}"),
    )
}

const NAMES: &[(u32, &str)] = &[
    (0x00, "ROK"),
    (0x01, "RINVMSGLEN"),
    (0x02, "RINVCMDLEN"),
    (0x03, "RINVCMDID"),
    (0x04, "RINVBNDSTS"),
    (0x05, "RALYBND"),
    (0x06, "RINVPRTFLG"),
    (0x07, "RINVREGDLVFLG"),
    (0x08, "RSYSERR"),
    (0x0a, "RINVSRCADR"),
    (0x0b, "RINVDSTADR"),
    (0x0c, "RINVMSGID"),
    (0x0d, "RBINDFAIL"),
    (0x0e, "RINVPASWD"),
    (0x0f, "RINVSYSID"),
    (0x14, "RMSGQFUL"),
    (0x15, "RINVSERTYP"),
    (0x40, "RINVDFTMSGID"),
    (0x43, "RINVESMCLASS"),
    (0x45, "RSUBMITFAIL"),
    (0x48, "RINVSRCTON"),
    (0x49, "RINVSRCNPI"),
    (0x50, "RINVDSTTON"),
    (0x51, "RINVDSTNPI"),
    (0x53, "RINVSYSTYP"),
    (0x58, "RTHROTTLED"),
    (0x61, "RINVSCHED"),
    (0x62, "RINVEXPIRY"),
    (0x64, "RX_T_APPN"),
    (0x65, "RX_P_APPN"),
    (0x66, "RX_R_APPN"),
    (0x67, "RQUERYFAIL"),
    (0xc0, "RINVOPTPARSTREAM"),
    (0xc1, "ROPTPARNOTALLWD"),
    (0xc2, "RINVPARLEN"),
    (0xc3, "RMISSINGOPTPARAM"),
    (0xc4, "RINVOPTPARAMVAL"),
    (0xfe, "RDELIVERYFAILURE"),
    (0xff, "RUNKNOWNERR"),
];
