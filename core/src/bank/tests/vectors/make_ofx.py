#!/usr/bin/env python3
"""Writes the OFX vectors beside it with ofxtools, and reads them back with ofxtools and ofxparse.

    pip install ofxtools==1.1.1 ofxparse==0.21 && python3 make_ofx.py

All companies, accounts and amounts are invented. Nothing in the build or the tests runs this.
"""
import os, datetime
from decimal import Decimal
import xml.etree.ElementTree as ET
from ofxtools.models import *
from ofxtools.Parser import OFXTree
from ofxtools.header import make_header
from ofxparse import OfxParser

HERE = os.path.dirname(os.path.abspath(__file__))
BRT = datetime.timezone(datetime.timedelta(hours=-3), 'BRT')
at = lambda day: datetime.datetime(2026, 11, day, 12, 0, 0, tzinfo=BRT)

LINES = [
    ('CREDIT', 10, '1192.27', 'N10A1', None, 'PIX RECEBIDO', 'FATURA 2026-000123 E00416968202611101200abcdefghi1k'),
    ('CREDIT', 10, '1014.00', 'N10A2', None, 'TED RECEBIDA', 'CNPJ 11.222.333/0001-81 AUTO & CIA SÃO JOÃO LTDA'),
    ('DEBIT', 10, '-12.50', 'N10A3', None, 'TARIFA', 'PACOTE DE SERVIÇOS'),
    ('CREDIT', 11, '507.00', 'N11A1', '2026000124', 'DEPÓSITO', None),
    ('CREDIT', 11, '507.00', 'N11A1', '2026000124', 'DEPÓSITO', None),
    ('XFER', 11, '0.05', 'N11A2', None, 'RENDIMENTO <CDI>', None),
]

def transactions():
    made = []
    for kind, day, amount, fitid, check, name, memo in LINES:
        made.append(STMTTRN(trntype=kind, dtposted=at(day), trnamt=Decimal(amount), fitid=fitid, checknum=check, name=name, memo=memo))
    return made

def signon():
    return SIGNONMSGSRSV1(sonrs=SONRS(status=STATUS(code=0, severity='INFO'), dtserver=at(12), language='POR', fi=FI(org='BANCO INVENTADO', fid='001')))

def bank():
    rows = BANKTRANLIST(*transactions(), dtstart=at(1), dtend=at(12))
    account = BANKACCTFROM(bankid='0001', acctid='12345-6', accttype='CHECKING')
    statement = STMTRS(curdef='BRL', bankacctfrom=account, banktranlist=rows, ledgerbal=LEDGERBAL(balamt=Decimal('100.00'), dtasof=at(12)))
    return OFX(signonmsgsrsv1=signon(), bankmsgsrsv1=BANKMSGSRSV1(STMTTRNRS(trnuid='1', status=STATUS(code=0, severity='INFO'), stmtrs=statement)))

def card():
    rows = BANKTRANLIST(*transactions()[:3], dtstart=at(1), dtend=at(12))
    statement = CCSTMTRS(curdef='BRL', ccacctfrom=CCACCTFROM(acctid='4000'), banktranlist=rows, ledgerbal=LEDGERBAL(balamt=Decimal('100.00'), dtasof=at(12)))
    return OFX(signonmsgsrsv1=signon(), creditcardmsgsrsv1=CREDITCARDMSGSRSV1(CCSTMTTRNRS(trnuid='1', status=STATUS(code=0, severity='INFO'), ccstmtrs=statement)))

def body(ofx, closed):
    tree = ofx.to_etree()
    if closed:
        return ET.tostring(tree, encoding='unicode')
    out = []
    def walk(element):
        text = (element.text or '').replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')
        if len(element) == 0:
            out.append(f'<{element.tag}>{text}')
            return
        out.append(f'<{element.tag}>')
        for child in element:
            walk(child)
        out.append(f'</{element.tag}>')
    walk(tree)
    return '\r\n'.join(out) + '\r\n'

def write(name, text, encoding):
    with open(os.path.join(HERE, name), 'wb') as file:
        file.write(text.encode(encoding))

SGML = 'OFXHEADER:100\r\nDATA:OFXSGML\r\nVERSION:102\r\nSECURITY:NONE\r\nENCODING:{}\r\nCHARSET:{}\r\nCOMPRESSION:NONE\r\nOLDFILEUID:NONE\r\nNEWFILEUID:NONE\r\n\r\n'
write('ofx1-1252.ofx', SGML.format('USASCII', '1252') + body(bank(), False), 'cp1252')
write('ofx1-8859-1.ofx', SGML.format('USASCII', 'ISO-8859-1') + body(bank(), False), 'latin-1')
write('ofx1-utf8.ofx', SGML.format('UTF-8', 'NONE') + body(bank(), False), 'utf-8')
write('ofx2-bank.ofx', str(make_header(version=220)) + body(bank(), True), 'utf-8')
write('ofx2-card.ofx', str(make_header(version=220)) + body(card(), True), 'utf-8')

# ofxparse does not read XML with accents (it takes it for ASCII); ofxtools reads all.
for name in ['ofx1-1252.ofx', 'ofx1-8859-1.ofx', 'ofx1-utf8.ofx', 'ofx2-bank.ofx', 'ofx2-card.ofx']:
    tree = OFXTree()
    tree.parse(os.path.join(HERE, name))
    for t in tree.convert().statements[0].transactions:
        print('ofxtools', name, t.dtposted.astimezone(BRT).date(), t.trnamt, t.trntype, t.fitid, t.checknum, '|', t.name, '|', t.memo)
for name in ['ofx1-1252.ofx', 'ofx1-utf8.ofx']:
    with open(os.path.join(HERE, name), 'rb') as file:
        read = OfxParser.parse(file)
    for t in read.account.statement.transactions:
        print('ofxparse', name, t.date.date(), t.amount, t.type, t.id, t.checknum, '|', t.payee, '|', t.memo)
